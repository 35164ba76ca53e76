"""The script of the shared limiter in virtual time: run by Lua itself, without a server."""

from __future__ import annotations

import math
from collections import defaultdict
from importlib.resources import files
from random import Random
from typing import Any

import msgspec
from lupa.lua51 import LuaRuntime

from persona_cases.limits import Feedback
from persona_cases.protocol.window import believable
from persona_cases.transport.limits.redis.redis_messages import Known, Terms, WindowReply, WindowReport

SOURCE = files("persona_cases.transport.limits.redis").joinpath("shared_window.lua").read_text(encoding="utf-8")
PLAIN = (str, int, float)
"""Types of values that are the same in Lua."""
SINCE_1970 = 1_764_000_000.0


class VirtualRedis:
    """As much of Redis as the script sees: one value, the time, and JSON."""

    def __init__(self) -> None:
        self.now = self.behind = 0.0
        self.value: str | None = None
        self._lua = LuaRuntime(unpack_returned_tuples=True)
        self._null = self._lua.table()
        run = self._lua.eval("function(source) return assert(loadstring(source)) end")(SOURCE)
        self._run = self._lua.eval("""function(call, decode, encode, null, run)
            redis, KEYS = { call = call, pcall = call }, { 'key' }
            cjson = { decode = decode, encode = encode, null = null }
            return function(report) ARGV = { report } return run() end
        end""")(self._call, self._decode, self._encode, self._null, run)

    def run(self, report: bytes) -> bytes:
        answer: str = self._run(report.decode())
        return answer.encode()

    def _call(self, command: str, *arguments: Any) -> Any:
        if command == "TIME":
            microseconds = round((SINCE_1970 + self.now - self.behind) * 1_000_000)
            return self._lua.table(str(microseconds // 1_000_000), str(microseconds % 1_000_000))
        if command == "GET":
            return self.value if self.value is not None else False
        assert command == "SET"
        _, self.value, _, lifetime = arguments
        assert int(lifetime) > 0
        return None

    def _decode(self, text: str) -> Any:
        return self._as_lua(msgspec.json.decode(text))

    def _as_lua(self, plain: Any) -> Any:
        if isinstance(plain, dict):
            return self._lua.table_from(
                {key: each if isinstance(each, PLAIN) else self._as_lua(each) for key, each in plain.items()}
            )
        if isinstance(plain, list):
            return self._lua.table_from([self._as_lua(each) for each in plain])
        return self._null if plain is None else plain

    def _encode(self, table: Any) -> str:
        return msgspec.json.encode(self._as_plain(table)).decode()

    def _as_plain(self, value: Any) -> Any:
        if isinstance(value, float):
            assert math.isfinite(value)
            return round(value) if value.is_integer() else value
        if isinstance(value, PLAIN):
            return value
        return {key: self._as_plain(each) for key, each in value.items()}


class SharedWindow:
    """What several processes see of the script's window, with the methods of a `RateWindow`."""

    def __init__(
        self, limit: int, period: float, *, processes: int = 1, seed: int = 0, lease: float = 1e6, reserve: int = 0
    ) -> None:
        self.redis = VirtualRedis()
        self.terms = Terms(limit=limit, period=period, reserve=reserve, lease=lease, processes=4, timeout=1.0)
        self.in_flight: dict[str, int] = defaultdict(int)
        self._names = [f"process-{number}" for number in range(processes)]
        self._next = self._names[0]
        self._random = Random(seed)
        self._answers: dict[str, tuple[float, WindowReply]] = {}
        self._let_go: dict[float, list[tuple[str, WindowReply]]] = defaultdict(list)

    def advance(self, now: float) -> None:
        self.redis.now = now

    def delay(self, now: float) -> float:
        self._next = self._random.choice(self._names)
        answer = self.report(now, self._next)
        return math.inf if answer.wait is None else answer.wait / 1000

    def depart(self, now: float) -> None:
        answer = self.report(now, self._next, wants=True)
        assert answer.go
        self.in_flight[self._next] += 1
        self._let_go[now].append((self._next, answer))

    def settle(self, now: float, departed: float, feedback: Feedback) -> None:
        name, answer = self._let_go[departed].pop(0)
        self.in_flight[name] -= 1
        feedback = Feedback(reading=believable(feedback.reading), answered=feedback.answered, refused=feedback.refused)
        self.report(now, name, endings=[(answer.born, answer.clock, feedback)])

    def send(self, now: float, name: str, feedback: Feedback) -> WindowReply:
        """Let a process send a request that ends at once."""
        let_go = self.report(now, name, wants=True)
        assert let_go.go
        return self.report(now, name, endings=[(let_go.born, let_go.clock, feedback)])

    def report(
        self,
        now: float,
        name: str,
        *,
        wants: bool = False,
        endings: list[tuple[int, int, Feedback]] | None = None,
        outage: int | None = None,
        unseen: int = 0,
        is_heard: bool = True,
    ) -> WindowReply:
        self.redis.now = now
        known: Known | None = None
        born = heard_at = 0
        if name in self._answers:
            heard, answer = self._answers[name]
            born, heard_at = answer.born, answer.clock
            known = answer.after(now - heard) if now - heard <= 2 * self.terms.period else None
        report = WindowReport(
            name=name,
            terms=self.terms,
            born=born,
            heard=heard_at,
            in_flight=self.in_flight[name],
            wants=wants,
            leaves=False,
            endings=endings or [],
            known=known,
            outage=outage,
            unseen=unseen,
            absence=int(1000 * (self.terms.longest_backoff + 2)),
        )
        answer = msgspec.json.decode(self.redis.run(msgspec.json.encode(report)), type=WindowReply)
        assert answer.unreadable is None
        if is_heard:
            self._answers[name] = (now, answer)
        return answer
