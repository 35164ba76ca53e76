// The whole front end. Text goes into the page by textContent, never as HTML.
const find = (id) => document.getElementById(id);
const rows = new Map();
let opened = null;

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options).catch(() => null);
  const document = answer && (await answer.json().catch(() => null));
  if (!answer?.ok) {
    find("trouble").textContent = answer
      ? `This did not work: ${typeof document?.detail === "string" ? document.detail : answer.status}`
      : "The desk cannot be reached.";
    throw new Error(path);
  }
  find("trouble").textContent = "";
  return document;
}

// The time that is left

function left(iso, now = Date.now()) {
  const minutes = Math.round((new Date(iso) - now) / 60_000);
  const size = Math.abs(minutes);
  const text = size < 60 ? `${size} min` : `${Math.floor(size / 60)} h ${String(size % 60).padStart(2, "0")} min`;
  return minutes < 0 ? { text: `${text} late`, kind: "late" } : { text, kind: minutes < 60 ? "soon" : "" };
}

function countdown(time) {
  const { text, kind } = left(time.dateTime);
  time.textContent = text;
  time.className = kind;
}

function deadline(row) {
  if (row.resolved) return element("span", "done");
  if (!row.sla) return element("span", "no limit");
  const time = element("time", "", { datetime: row.sla });
  countdown(time);
  return time;
}

// The queue

const filters = () => Object.fromEntries(new FormData(find("filters")));

function fits(row) {
  const { status, priority, assignee } = filters();
  return (!status || row.status === status) && (!priority || row.priority === priority)
    && (!assignee || (assignee === "nobody" ? !row.assignee : row.assignee === assignee));
}

function drawn(row, fresh) {
  const line = element("tr", "", { "data-case": row.id });
  const open = element("button", row.name, { type: "button", class: "open" });
  open.addEventListener("click", () => show(row.id, true));
  const cells = [open, row.status, row.priority, deadline(row), row.assignee ?? "nobody", row.tags.join(", ")];
  for (const cell of cells) {
    const made = element("td");
    made.append(cell ?? "");
    line.append(made);
  }
  line.classList.toggle("fresh", fresh);
  line.classList.toggle("chosen", row.id === opened);
  return line;
}

function draw(fresh) {
  const shown = [...rows.values()].filter(fits);
  shown.sort((one, other) => (one.sla ?? "~").localeCompare(other.sla ?? "~"));
  const focused = document.activeElement?.closest("tr")?.dataset.case;
  find("rows").replaceChildren(...shown.map((row) => drawn(row, row.id === fresh)));
  if (focused) find("rows").querySelector(`[data-case="${CSS.escape(focused)}"] .open`)?.focus();
  find("count").textContent = `(${shown.length})`;
  find("nothing").hidden = shown.length > 0;
}

async function load() {
  const found = await ask(`/api/cases?${new URLSearchParams(filters())}`);
  rows.clear();
  for (const row of found) rows.set(row.id, row);
  draw();
}

// One case

async function show(id, move) {
  const shown = await ask(`/api/cases/${encodeURIComponent(id)}`);
  opened = id;
  find("case-title").textContent = shown.name;
  find("case-line").textContent = `${shown.status}, ${shown.assignee ?? "nobody"} has it${shown.queue ? `, in ${shown.queue}` : ""}`;
  find("fields").replaceChildren(...shown.fields.flatMap(({ name, value }) => [element("dt", name), element("dd", value)]));
  find("documents").replaceChildren(...shown.documents.map(({ name, size, url }) => {
    const item = element("li");
    const href = /^https?:/.test(url) ? url : "#";
    item.append(element("a", name, { href, rel: "noreferrer", target: "_blank" }), ` (${size} bytes)`);
    return item;
  }));
  find("tags").replaceChildren(...shown.tags.map((tag) => {
    const item = element("li", tag, { class: "chip" });
    const remove = element("button", "×", { type: "button", "aria-label": `Remove tag ${tag}` });
    remove.addEventListener("click", () => change("untag", { name: tag }));
    item.append(" ", remove);
    return item;
  }));
  find("history").replaceChildren(...shown.history.map(({ at, what, text }) => {
    const item = element("li", text);
    item.append(text ? element("br") : "", element("small", `${what}, ${new Date(at).toLocaleString()}`));
    return item;
  }));
  find("case").hidden = false;
  document.querySelector("main").classList.add("split");
  draw();
  if (move) find("case").focus();
}

function close() {
  const id = opened;
  opened = null;
  find("case").hidden = true;
  document.querySelector("main").classList.remove("split");
  draw();
  find("rows").querySelector(`[data-case="${CSS.escape(id)}"] .open`)?.focus();
}

// The page changes when the webhook arrives.
const change = (action, body) => ask(`/api/cases/${encodeURIComponent(opened)}/${action}`, body);

// Changes as they happen

let quiet;
function announce(text) {
  find("news").textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { find("news").textContent = ""; }, 8_000);
}

function listen() {
  const stream = new EventSource("/api/live");
  const connected = (live) => {
    find("connection").textContent = live ? "live" : "connection lost, reconnecting";
    find("connection").classList.toggle("live", live);
  };
  let known = false;
  stream.addEventListener("open", () => {
    connected(true);
    // Events that came while the connection was lost do not come again.
    if (known) load();
    known = true;
  });
  stream.addEventListener("error", () => connected(false));
  stream.addEventListener("case", ({ data }) => {
    const { row, what } = JSON.parse(data);
    // Events come in any order.
    if ((rows.get(row.id)?.updated ?? "") > (row.updated ?? "")) return;
    rows.set(row.id, row);
    draw(row.id);
    announce(`${row.name}: ${what.replace("case.", "").replaceAll("-", " ")}`);
    if (row.id === opened) show(row.id);
  });
}

function submitted(form, action) {
  find(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    await change(action, Object.fromEntries(new FormData(event.target)));
    event.target.reset();
  });
}

const { analysts, decisions } = await ask("/api/settings");
for (const email of analysts) {
  find("me").append(new Option(email));
  find("filters").elements.assignee.append(new Option(email));
}
for (const status of decisions) {
  const button = element("button", status, { type: "button" });
  button.addEventListener("click", () => change("decide", { status }));
  find("decisions").append(button, " ");
}
find("take").addEventListener("click", () => change("assign", { email: find("me").value }));
find("close").addEventListener("click", close);
find("filters").addEventListener("change", load);
submitted("tag", "tag");
submitted("comment", "comment");
setInterval(() => document.querySelectorAll("time").forEach(countdown), 1000);
await load();
listen();
