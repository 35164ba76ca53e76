-- One step of the window that all processes of an environment share: take in what one of them reports, and say whether
-- its next request may leave. Redis runs a script as a whole, so steps do not mix.
--
-- KEYS[1]  where the state is: one JSON value.
-- ARGV[1]  what a process reports, JSON: `WindowReport` in redis_messages.py.
-- Returns  what it is told, JSON: `WindowReply` there.
--
-- The rules are those of protocol/window.py, in short, and err on the same side: a request in flight is not yet in the
-- numbers that responses tell, a window ends as late as it can, and one request goes ahead to learn a window's numbers.
-- All times are milliseconds on the clock of this server.

local SECOND, DAY = 1000, 86400 * 1000
local FIRST_BACKOFF, LONGEST_BACKOFF = 5 * SECOND, 40 * SECOND -- after a 429 that does not say how long
local RESPONSES_WITHOUT_NUMBERS = 3 -- in a row, and the server is taken for one that never tells them
-- Of a window that other programs use as well, the last requests leave one by one, and the very last are not sent.
local ONE_BY_ONE, LEFT_TO_OTHERS = 0.1, 0.05

local report = cjson.decode(ARGV[1])
local terms = report.terms
local period, lease = math.ceil(terms.period * SECOND), math.ceil(terms.lease * SECOND)
local now, state
local joined = false -- whether the process is back after an outage, and others had gone on with the state

-- The state: 0 stands for "never" and "none" -----------------------------------------------------------------------

local function new_state()
  return {
    born = now,          -- when it was begun
    clock = now,         -- when the last step was
    ahead = 0,           -- by how much `clock` is ahead of the server's, which was set back
    limit = terms.limit, -- requests per window
    told = 0,            -- 1 if the numbers of this window are known
    left = terms.limit,  -- the fewest requests left that were told in this window
    unseen = 0,          -- requests that `left` may not count
    unseen_at = 0,       -- when the last of them ended
    late = 0,            -- those of them that the next window may count
    ours = 0,            -- requests of ours that this window may count
    strangers = 0,       -- 1 if other programs used the window before
    ends_after = 0,      -- when this window ends at the earliest
    ends_by = 0,         -- when it ends at the latest; 0 if none is open
    before = 0,          -- when the window before had surely ended
    distrusted = 0,      -- 1 if windows were seen to last longer than configured
    departed = 0,        -- when a request left last
    unread = 0,          -- responses in a row without numbers
    refusals = 0,        -- 429 responses in a row
    cool_until = 0,      -- until when nobody sends after them
    absent = 0,          -- processes that have not reported to this state
    absent_until = 0,    -- until when they and those that heard no answer yet may send their equal part without Redis
    members = {},        -- by name: when the process was `seen`, its requests in `flight`, and the time of the last
                         -- answer from this state that it `heard`
  }
end

local function is_number(value, most)
  return type(value) == 'number' and value >= 0 and value <= most
end

local function is_sane(value)
  if type(value) ~= 'table' or type(value.members) ~= 'table' then return false end
  local most = now + DAY + 2 * period
  for name in pairs(new_state()) do
    if name ~= 'members' and not is_number(value[name], most) then return false end
  end
  for _, each in pairs(value.members) do
    if type(each) ~= 'table' or not is_number(each.flight, most) then return false end
    if not is_number(each.seen, value.clock) or not is_number(each.heard, value.clock) then return false end
  end
  return value.limit >= 1 and (value.ends_by > 0 or value.unseen == 0)
end

-- Redis was away for the reporting process. Did others go on meanwhile? A report alone is no sign of that: Redis may have
-- been frozen, and run only now what it was sent before. Those who heard an answer, or began a new state, are here.
local function has_gone_on(value)
  local since = now - report.outage
  for name, each in pairs(value.members) do
    if name ~= report.name and each.heard > since then return true end
  end
  return value.born > since
end

local function begin()
  state = new_state()
  local known = report.known
  if not known then return end
  state.limit, state.left, state.cool_until = known.limit, known.limit, now + known.cooling
  state.absent, state.absent_until = known.processes, now + report.absence
  if known.ends_in then
    state.left, state.ours = known.left, known.limit - known.left
    state.ends_by, state.ends_after = now + known.ends_in, now + known.ends_in - 2 * SECOND
    state.told = report.outage and 1 or 0 -- the numbers of an outage came without Redis, and are fresh
  end
end

local function load()
  local time = redis.call('TIME')
  now = time[1] * SECOND + math.floor(time[2] / 1000)
  local held = redis.pcall('GET', KEYS[1])
  local decoded, value = pcall(cjson.decode, held)
  if not decoded or not is_sane(value) then
    begin()
    return held and (type(held) == 'string' and #held or 0) or nil
  end
  value.ahead = math.max(value.ahead, value.clock - now)
  now = now + value.ahead
  if report.outage and not has_gone_on(value) then
    begin()
  else
    value.clock, state = now, value
    joined = report.outage ~= nil
  end
end

-- What happened ----------------------------------------------------------------------------------------------------

local function in_flight()
  local sum = 0
  for _, each in pairs(state.members) do sum = sum + each.flight end
  return sum
end

local function has_strangers()
  return state.told == 1 and state.limit - state.left > state.ours
end

local function roll()
  if state.ends_by == 0 or now < state.ends_by then return end
  state.strangers = has_strangers() and 1 or 0
  state.before, state.ends_by, state.ends_after = state.ends_by, 0, 0
  state.unseen, state.late = state.late, 0
  if state.unseen > 0 then state.ends_by = state.unseen_at + period end
  state.left, state.told, state.ours = state.limit, state.unread >= RESPONSES_WITHOUT_NUMBERS and 1 or 0, in_flight()
end

-- A request ended without numbers of this window, which may count it.
local function miss(departed, answered)
  state.unseen, state.unseen_at = state.unseen + 1, now
  if state.ends_after > 0 then
    if now > state.ends_after then state.late = state.late + 1 end
    return
  end
  state.ends_by = now + period
  if answered then state.ends_after = departed + period end
end

local function read(departed, reading)
  local limit, left, reset = reading.limit, reading.remaining, reading.reset * SECOND
  if reset >= period + SECOND then state.distrusted = 1 end
  local earliest, latest = departed + reset - SECOND, now + 1 + reset + SECOND
  if state.distrusted == 0 then latest = math.min(latest, now + 1 + period) end
  local is_past = departed < state.before and earliest <= state.before
  -- A response tells of the limit that is nearer to its end: the key's, or the environment's.
  local is_further = state.told == 1 and limit ~= state.limit and left >= state.left
  if is_past or is_further then return miss(departed, false) end
  local is_known = state.told == 1 and limit == state.limit and state.ends_by > 0
  if is_known and earliest > state.ends_by then
    -- The next window of this limit: it began while responses told of the other limit.
    state.before, state.ours = now, in_flight() + 1
  elseif is_known then
    left = math.min(left, state.left)
    earliest, latest = math.max(earliest, state.ends_after), math.min(latest, state.ends_by)
  end
  state.limit, state.left, state.told, state.ends_after, state.ends_by = limit, left, 1, earliest, latest
  if departed > state.unseen_at then state.unseen, state.late = 0, 0 end
end

-- Nobody sends before the window that refused has ended, whoever else succeeds.
local function cool(reading, retry_after)
  state.refusals = state.refusals + 1
  local wait = math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ^ math.min(state.refusals - 1, 10))
  if reading then
    wait = (reading.reset + 1) * SECOND
  elseif retry_after then
    retry_after = math.ceil(retry_after * SECOND)
    wait = state.refusals == 1 and retry_after or math.max(wait, retry_after)
  end
  state.cool_until, state.told = math.max(state.cool_until, now + wait), 0
end

local function settle(ending)
  local born, departed, feedback = unpack(ending)
  local reading = feedback.reading ~= cjson.null and feedback.reading
  local retry_after = feedback.retry_after ~= cjson.null and feedback.retry_after
  local answered = feedback.answered and not feedback.refused
  if born ~= state.born then
    -- Numbers told to a request that another state let go may leave out others of which this one does not know.
    departed, answered, reading = 0, false, feedback.refused and reading
  elseif feedback.refused and state.told == 0 and departed >= state.before then
    state.distrusted = 1 -- refused as the first of a window: the one before had not ended
  end
  if answered then state.refusals = 0 end
  if reading then
    state.unread = 0
    read(departed, reading)
  else
    if answered then state.unread = state.unread + 1 end
    if state.unread >= RESPONSES_WITHOUT_NUMBERS then state.told = 1 end
    miss(departed, answered)
  end
  if feedback.refused then cool(reading, retry_after) end
end

-- Every process states its requests in flight with each report, so one that gets lost does no harm.
local function count_members()
  local mine, processes = report.name, 0
  if not state.members[mine] then state.absent = math.max(0, state.absent - 1) end
  if now >= state.absent_until then state.absent = 0 end
  local heard = report.born == state.born and report.heard or 0
  state.members[mine] = { seen = now, flight = report.in_flight, heard = heard }
  if report.leaves and report.in_flight == 0 then state.members[mine] = nil end
  for name, each in pairs(state.members) do
    if now - each.seen > lease then
      for _ = 1, each.flight do miss(each.seen, false) end
      each.flight = 0
    end
    if each.flight == 0 and now - each.seen > 2 * period then state.members[name] = nil end
  end
  for _ in pairs(state.members) do processes = processes + 1 end
  return math.max(1, processes + state.absent)
end

-- What may happen --------------------------------------------------------------------------------------------------

local function reserve()
  return math.min(terms.reserve, state.limit - 1)
end

-- How many others may still send without Redis.
local function away()
  if now >= state.absent_until then return 0 end
  local others = state.absent
  for name, each in pairs(state.members) do
    if name ~= report.name and each.heard == 0 then others = others + 1 end
  end
  return others
end

-- The time until a request may leave; nil for "when the next response has come".
local function delay(flight, processes)
  if now < state.cool_until then return state.cool_until - now end
  if flight == 0 and state.ends_by == 0 then return 0 end
  local patience = flight > 0 and math.max(0, state.departed + SECOND - now) or 0
  if state.told == 0 and patience > 0 then return patience end
  local left = state.left - state.unseen - flight - reserve()
  local theirs = away() * math.max(1, math.floor((state.limit - reserve()) / processes))
  local strangers = state.strangers == 1 or has_strangers()
  if left > theirs + (strangers and LEFT_TO_OTHERS * state.limit or 0) then
    return strangers and left <= ONE_BY_ONE * state.limit and patience or 0
  end
  local opens = state.ends_by > 0 and state.ends_by or nil
  if theirs > 0 then opens = math.min(opens or state.absent_until, state.absent_until) end
  return opens and opens - now
end

local unreadable = load()
roll()
local processes = count_members()
if joined then
  for _ = 1, report.unseen do miss(now, false) end
end
for _, each in ipairs(report.endings) do settle(each) end
roll()
local others = in_flight() - report.in_flight
local wait = delay(in_flight(), processes)
local go = report.wants and wait == 0
if go then
  state.members[report.name].flight = report.in_flight + 1
  state.departed, state.ours = now, state.ours + 1
end
redis.call('SET', KEYS[1], cjson.encode(state), 'PX', string.format('%d', math.max(4 * period, lease) + (wait or 0)))
return cjson.encode({
  go = go, wait = wait, born = state.born, clock = now, unreadable = unreadable,
  processes = processes, others = others, limit = state.limit, left = math.max(0, state.left - state.unseen - others),
  cooling = math.max(0, state.cool_until - now), ends_in = state.ends_by > 0 and state.ends_by - now or nil,
})
