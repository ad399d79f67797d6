// Draws what the app sends as server-sent events, and plays the visitor.

/** How many children a list shows, by its id. */
const SHOWN = { rows: 12, lines: 8 };

const FROM = {
  upstream: "upstream",
  memory: "last good",
  refused: "refused",
  failed: "failed",
};

const HEALTH = { well: "is healthy", slow: "takes 2\u00a0s for each answer", broken: "fails" };

const element = (id) => document.getElementById(id);
const healthButtons = document.querySelectorAll("button[data-health]");

// ---- The current state ----

function meaning({ state, retryAfterMs, health, timeoutMs }) {
  switch (state) {
    case "closed": {
      const limit = `${timeoutMs / 1_000}\u00a0s`;
      const about = health === "slow" ? `, and the visitor waits ${limit} at most` : "";
      return `Requests reach the upstream, which ${HEALTH[health]}${about}.`;
    }
    case "open":
      return `The upstream is left alone for ${Math.ceil(retryAfterMs / 1_000)}\u00a0s.`;
    case "half_open":
      return retryAfterMs > 0
        ? "One request is under way to the upstream, as a probe. All others get the last good answer at once."
        : "The delay is over. The next request goes to the upstream, as a probe.";
  }
}

function drawNow(now) {
  const { state, retryAfterMs, delayMs, health, calls } = now;
  const { dataset } = document.body;
  // Screen readers announce a change of state, but not the countdown.
  if (dataset.state !== state) {
    element("announcement").textContent = `The circuit is ${state.replace("_", " ")}`;
  }
  dataset.state = state;
  dataset.health = health;
  element("state").textContent = state.replace("_", " ");
  element("meaning").textContent = meaning(now);
  element("calls").textContent = calls === 1 ? "1 call" : `${calls} calls`;
  const left = state === "open" ? retryAfterMs / delayMs : 0;
  element("wait").style.setProperty("--left", String(Math.min(1, left)));
  for (const button of healthButtons) {
    button.setAttribute("aria-pressed", String(button.dataset.health === health));
  }
}

// ---- What happened so far ----

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

function cell(name, text) {
  const td = document.createElement("td");
  td.setAttribute("role", "cell");
  td.className = text === null ? `${name} none` : name;
  td.textContent = text ?? "–";
  return td;
}

/** Lets the line break only between parameters. */
function cacheStatusCell(cacheStatus) {
  const td = cell("fields", "");
  const parts = cacheStatus.split("; ");
  parts.forEach((part, index) => {
    const span = document.createElement("span");
    span.textContent = index < parts.length - 1 ? `${part};` : part;
    td.append(span, " ");
  });
  return td;
}

function drawAnswer({ at, path, status, from, cacheStatus, age, retryAfter, tookMs }) {
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  row.dataset.from = from;
  row.append(
    cell("status", String(status)),
    cell("from", FROM[from]),
    cell("path", path.replace("/api", "")),
    cell("age number", age === null ? null : `${age} s`),
    cacheStatus === null
      ? cell("fields", retryAfter && `Retry-After: ${retryAfter}`)
      : cacheStatusCell(cacheStatus),
    cell("took number", `${tookMs} ms`),
    cell("at number", clock.format(at)),
  );
  prepend("rows", row);
}

function drawLine({ at, text }) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = clock.format(at);
  line.append(time, text);
  prepend("lines", line);
}

function prepend(id, child) {
  const list = element(id);
  list.prepend(child);
  while (list.children.length > SHOWN[id]) list.lastElementChild.remove();
}

const live = new EventSource("/live");
const hear = (event, draw) => live.addEventListener(event, ({ data }) => draw(JSON.parse(data)));
hear("now", drawNow);
hear("answer", drawAnswer);
hear("line", drawLine);
// After a reconnect, the server sends its past entries again.
live.addEventListener("open", () => {
  element("rows").replaceChildren();
  element("lines").replaceChildren();
});
live.addEventListener("error", () => {
  element("meaning").textContent = "The demo has ended. Start it again, and this page reconnects.";
  document.body.dataset.state = "gone";
  element("state").textContent = "out of reach";
});

// ---- The visitor ----

async function ask() {
  const path = document.querySelector("input[name=path]:checked").value;
  // The table shows the answer, or that there was none.
  await fetch(`/api/${path}`).then((response) => response.text()).catch(() => {});
}

element("ask").addEventListener("click", ask);
setInterval(() => {
  const isWatched = document.visibilityState === "visible" && live.readyState === EventSource.OPEN;
  if (isWatched && element("keep-asking").checked) ask();
}, 1_000);
for (const button of healthButtons) {
  button.addEventListener(
    "click",
    () => fetch(`/upstream/${button.dataset.health}`, { method: "POST" }).catch(() => {}),
  );
}
