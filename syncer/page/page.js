// Shows /status and polls /status every 2 s while the page is visible. Data of the cluster becomes text nodes
// only, never markup; the page's Content-Security-Policy refuses markup.
"use strict";

const REFRESH_MS = 2000;
const PATIENCE_MS = 10000;
const TYPING_MS = 150;
const at = (id) => document.getElementById(id);
// `answer`, `etag` and `made` (a time) are those of the last answer with a body, to the query `asked`.
const view = { answer: null, etag: "", asked: "", made: 0, status: null, rows: [], page: 1, received: 0, timer: 0,
  polling: false, again: false, failure: "" };

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== ""));
  return made;
}

function setText(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
}

// ---- drawing; an element is created again only where its content has changed

function redraw(parent, items, draw) {
  const known = new Map([...parent.children].map((child) => [child.dataKey, child]));
  const wanted = items.map((item) => {
    const was = known.get(item.key);
    const text = JSON.stringify(item);
    if (was && was.dataText === text) return was;
    const made = draw(item);
    made.dataKey = item.key;
    made.dataText = text;
    return made;
  });
  const same = wanted.length === parent.children.length
    && wanted.every((child, index) => parent.children[index] === child);
  if (same) return;
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] || null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
}

function marked([glyph, tone], ...words) {
  const sign = element("span", "glyph", glyph);
  sign.setAttribute("aria-hidden", "true");
  return element("span", tone, sign, ...words);
}

function drawRow(item) {
  const made = element("tr", item.well ? "" : "unwell");
  made.setAttribute("role", "row");
  const name = element("th", "", item.well ? "" : element("span", "unseen", "not well: "),
    item.name || element("em", "quiet", "no Node"),
    element("span", "small quiet", element("span", "id", item.id || "no instance"), item.zone && " · " + item.zone));
  name.scope = "row";
  name.setAttribute("role", "rowheader");
  made.append(name, drawCell("verdict", "Verdict", element("div", "",
    marked(VERDICTS[item.verdict] || VERDICTS.out, item.verdict, " · ", element("span", "", item.reason)),
    element("span", "small quiet", item.sentence))));
  item.cells.forEach((targets, index) => {
    const group = view.status.groups[index];
    const parts = targets.length ? targets.map((target) => drawTarget(target, group)) : [marked(STATES.absent, "not a target")];
    made.append(drawCell("", group.name, element("div", "", ...parts)));
  });
  return made;
}

function drawCell(className, column, content) {
  const made = element("td", className, content);
  made.setAttribute("role", "cell");
  made.dataset.column = column;
  return made;
}

function drawTarget(target, group) {
  const state = target.state === "absent" ? "not a target" : target.state;
  const port = group.port === target.port ? "" : portOf(target.port);
  const made = element("div", "", marked(STATES[target.state] || STATES.unavailable, state, port));
  if (target.reason) made.append(element("span", "small quiet", target.reason));
  if (target.override) made.append(element("span", "small wait", target.override));
  const retry = target.retry_in === undefined ? "" : ", retried in " + Math.ceil(target.retry_in) + " s";
  if (target.next === "hold") made.append(element("span", "small wait", "hold: " + target.why + retry));
  else if (target.next !== "nothing") made.append(element("span", "small go", "next: " + target.next));
  return made;
}

function drawGroup(group) {
  const port = group.port !== null || group.own_port ? portOf(group.port) : "";
  const title = element("h3", "", group.name, element("span", "quiet", port));
  const list = element("dl", "");
  const line = (term, ...content) => list.append(element("dt", "", term), element("dd", "", ...content));
  line("healthy", marked(...healthOf(group)));
  line("serving", group.serving === null ? "unknown"
    : group.serving + " · base " + group.base + " · keeps at least " + group.floor);
  if (group.shifted) line("zonal shift", element("span", "wait", group.shifted + " of " + group.registered + " registered get no traffic"));
  if (group.blind) line("blind", element("span", "wait", group.blind));
  if (group.next.register || group.next.deregister) {
    line("next", element("span", "go", "register " + group.next.register + ", deregister " + group.next.deregister));
  }
  for (const [why, count] of Object.entries(group.held_by)) {
    line("held", element("span", "wait", count + " for " + why),
      element("span", "small quiet", view.status.sentences[why] || ""));
  }
  if (group.hold_id) line("approve with", element("code", "", "nlb-sync confirm " + group.name + " " + group.hold_id));
  for (const cause of group.causes) line("conflict", element("span", "wait", cause));
  const stale = isStale(group.age) || group.problems.length > 0;
  line("last good pass", element("span", stale ? "bad" : "", agoOf(group.age)));
  for (const problem of group.problems) line("problem", element("span", "bad", problem));
  return element("article", "", title, list);
}

function draw() {
  const status = view.status;
  redraw(at("verdict"), [{ key: "v", text: headline(status, status.totals.rows, status.totals.unwell) }], (item) => marked(item.text[0], item.text[1]));
  redraw(at("flags"), flagsOf(status), (item) => element("li", item.tone, item.text));
  redraw(at("problems"), status.problems.map((text) => ({ key: text })), (item) => element("li", "", item.key));
  at("problems").hidden = status.problems.length === 0;
  setText("version", status.version ? "version " + status.version : "");
  redraw(at("groups"), status.groups.map(groupItem), drawGroup);
  redraw(at("columns"), ["Node", "Verdict", ...status.groups.map((group) => group.name)].map((text, index) =>
    ({ key: index + text, text })), drawHeading);
  redraw(at("words"), Object.keys(status.sentences).sort().flatMap((code) => [{ key: "t" + code, tag: "dt",
    text: code }, { key: "d" + code, tag: "dd", text: status.sentences[code] }]), (item) => element(item.tag, "", item.text));
  drawRows();
}

function drawHeading(item) {
  const made = element("th", "", item.text);
  made.scope = "col";
  made.setAttribute("role", "columnheader");
  return made;
}

function drawRows() {
  const { page, pages, page_rows, rows } = view.status.paging;
  const all = view.status.totals.rows;
  const first = (page - 1) * page_rows;
  redraw(at("rows"), view.rows, drawRow);
  setText("count", rows === all ? rows + " rows" : rows + " of " + all + " rows");
  setText("where", pages > 1 ? first + 1 + "–" + (first + view.rows.length) : "");
  at("previous").disabled = page === 1;
  at("next").disabled = page >= pages;
  at("previous").parentElement.hidden = pages === 1;
  at("scroll").hidden = rows === 0;
  at("nothing").hidden = rows > 0;
  setText("nothing", all ? "Nothing matches." : "No nodes have been read yet.");
}

// ---- polling

function query() {
  const asked = new URLSearchParams({ page: view.page });
  if (at("unwell").checked) asked.set("unwell", "1");
  if (at("filter").value.trim()) asked.set("find", at("filter").value.trim());
  return "status?" + asked;
}

async function ask() {
  const asked = query();
  const headers = view.etag && view.asked === asked ? { "If-None-Match": view.etag } : {};
  const answer = await fetch(asked, { cache: "no-store", headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.status !== 304) {
    if (!answer.ok) throw new Error("HTTP status " + answer.status);
    const status = await answer.json();
    Object.assign(view, { answer: status, etag: answer.headers.get("ETag"), asked, made: Date.now() });
  }
  const { page, pages } = view.answer.paging;
  if (page > pages && asked === query()) { // rows have gone since
    view.page = pages;
    return ask();
  }
  view.status = aged(view.answer, (Date.now() - view.made) / 1000);
  view.rows = rowsOf(view.status);
  view.received = Date.now();
  view.failure = "";
  draw();
}

async function poll() {
  window.clearTimeout(view.timer);
  if (view.polling || document.hidden) return;
  view.polling = true;
  view.again = false;
  try {
    await ask();
  } catch (error) {
    view.failure = error.name === "TimeoutError" ? "no answer within " + PATIENCE_MS / 1000 + " s" : String(error.message);
  }
  view.polling = false;
  showFreshness();
  view.timer = window.setTimeout(poll, view.again ? 0 : REFRESH_MS);
}

function showFreshness() {
  const received = view.received ? new Date(view.received).toLocaleTimeString() : "";
  at("freshness").className = view.failure ? "bad" : "";
  setText("freshness", view.failure ? "" : "As of " + received + ", updated every " + REFRESH_MS / 1000 + " s while visible.");
  document.body.classList.toggle("lost", Boolean(view.failure));
  if (!view.failure) return;
  const since = received ? "; the page shows the status of " + received : "";
  redraw(at("verdict"), [{ key: "lost", text: view.failure + since }],
    (item) => marked(STATES.unhealthy, "No answer from the syncer (" + item.text + ")"));
}

function turn(page, pause = 0) {
  view.page = page;
  view.again = true;
  if (view.polling) return;
  window.clearTimeout(view.timer);
  view.timer = window.setTimeout(poll, pause);
}

at("filter").addEventListener("input", () => turn(1, TYPING_MS));
at("unwell").addEventListener("change", () => turn(1));
at("controls").addEventListener("submit", (event) => event.preventDefault());
at("previous").addEventListener("click", () => turn(Math.max(1, view.page - 1)));
at("next").addEventListener("click", () => turn(view.page + 1));
document.addEventListener("visibilitychange", poll);
poll();
