// Shows what GET v1/privacy/statement and v1/privacy/overview say. Nothing is kept, and no other address is called.
import { bars, line } from "./charts.js";
import { drawPlaces } from "./places.js";
import { settingsByTenant, showSafeguards } from "./safeguards.js";
import { element, moment, table, whole } from "./elements.js";

const REFRESH_MS = 30_000;
const PATIENCE_MS = 20_000;
let known = [];
let isReading = false;
const WORDS = {
  holding: "holding", violated: "violated", unknown: "unknown",
  not_built: "The feature behind it is not built yet.",
  fact_stale: "A statement of the vendor has to be read again.",
  held_by_tests_of_this_commit: "Held by tests of this version; the running service does not check it.",
  vendors_statement: "Rests on the vendor's statement.",
  no_recent_run: "The timer has not run lately.",
  check_missing: "A check is not part of the last run.",
  check_incomplete: "A check could not look at everything.",
  past_deadline: "Something is past its deadline.",
  configuration: "A setting is not as it should be.",
  no_answer: "The service does not say.",
};

async function read(path, token) {
  const answer = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {}, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function showSummary(promises) {
  const counts = Object.groupBy(promises, (promise) => promise.state);
  document.getElementById("summary").replaceChildren(
    ...["violated", "unknown", "holding"]
      .filter((state) => counts[state])
      .map((state) => element("li", { class: state }, `${counts[state].length} ${state}`)),
  );
}

function showPromises(promises) {
  const order = ["violated", "holding", "unknown"];
  const sorted = promises.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  const list = document.getElementById("promise-list");
  const key = JSON.stringify(sorted.map(({ checked_at, ...rest }) => rest));
  if (key === list.dataset.key) { // the same again: whoever reads a card keeps it, and its focus
    for (const promise of sorted) document.getElementById(`basis-${promise.id}`).textContent = basis(promise);
    return;
  }
  list.dataset.key = key;
  const open = new Set([...list.querySelectorAll("details[open]")].map((details) => details.dataset.id));
  showSummary(promises);
  list.replaceChildren(...sorted.map((promise) => card(promise, open.has(promise.id))));
}

function card(promise, isOpen) {
  const why = promise.why ? [element("p", { class: "why" }, reason(promise))] : [];
  const facts = [
    element("p", { id: `basis-${promise.id}` }, basis(promise)),
    ...promise.sources.map((source) =>
      element("p", {}, `${source.says} (document of ${source.dated}, read ${source.reviewed_on}) `, link(source.url)),
    ),
  ];
  const details = element("details", { "data-id": promise.id }, element("summary", {}, "What it rests on"), ...facts);
  details.open = isOpen;
  const title = element("h3", {}, promise.id, element("span", { class: `state ${promise.state}` }, WORDS[promise.state]));
  return element("li", { class: `card ${promise.state}` }, title, element("p", {}, promise.sentence), ...why, details);
}

function reason(promise) {
  const causes = promise.causes.map((cause) => cause.replaceAll("_", " ")).join(", ");
  const said = WORDS[promise.why] ?? promise.why;
  return causes ? `${said.replace(/\.$/, "")}: ${causes}.` : said;
}

function basis(promise) {
  return `Basis: ${promise.basis}.${promise.checked_at ? ` Checked ${moment(promise.checked_at)}.` : ""}`;
}

function link(url) {
  return element("a", { href: url, rel: "noreferrer" }, new URL(url).hostname);
}

function showOverview(overview) {
  drawPlaces(document.getElementById("places"), overview.places);
  document.getElementById("places-table").replaceChildren(
    table(["Place", "Holds", "Items", "Oldest (s)"], overview.places.map((one) => [one.place, one.holds, whole(one.count), whole(one.oldest_seconds)])),
  );
  bars(document.getElementById("deadlines"), overview.deadlines.map((one) => one.label), overview.deadlines.map((one) => one.count), "contents");
  line(document.getElementById("late"), overview.runs.map((run) => run.at), overview.runs.map((run) => (run.complete ? run.seconds_past_deadline : null)), "seconds");
  bars(document.getElementById("deleted"), overview.days.map((day) => day.day), overview.days.map((day) => day.deleted), "deletions");
  const figures = Object.entries(overview.figures).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value ?? "–"))]);
  document.getElementById("figures").replaceChildren(...figures);
}

async function refresh() {
  if (isReading) return; // a slow answer is not asked for twice
  isReading = true;
  try {
    await readAll();
  } finally {
    isReading = false;
  }
}

async function readAll() {
  const [statement, overview] = await Promise.allSettled([read("v1/privacy/statement"), read("privacy/overview")]);
  const alarm = document.getElementById("alarm");
  if (statement.value) {
    known = statement.value.promises;
    showPromises(known);
    showSafeguards(statement.value);
    document.getElementById("checked").textContent = `As of ${moment(statement.value.generated_at)}, stamp in ${statement.value.geography}.`;
  } else { // what was true at the last answer may not be true any more
    showPromises(known.map((promise) => ({ ...promise, state: "unknown", why: "no_answer", causes: [] })));
    if (!known.length) document.getElementById("checked").textContent = "";
  }
  document.getElementById("safeguards").hidden = !statement.value;
  document.getElementById("overview").hidden = !overview.value; // unhidden before it is drawn: a chart takes the width of its place
  if (overview.value) showOverview(overview.value);
  const said = statement.value ? (overview.value ? "" : "The figures cannot be read now.") : "The service does not answer: whether the promises hold is not known now.";
  if (alarm.textContent !== said) alarm.textContent = said;
}

async function showSteps(event) {
  event.preventDefault();
  const status = document.getElementById("operator-status");
  const [place, tenants] = ["steps", "tenants"].map((id) => document.getElementById(id));
  try {
    const report = await read("v1/privacy/report", document.getElementById("token").value.trim());
    const run = report.runs[0];
    const rows = Object.entries(run?.steps ?? {}).map(([name, step]) => [
      name, whole(step.checked), whole(step.found), whole(step.deleted), whole(step.overdue), step.oldest_overdue_seconds.toFixed(1), step.complete ? "yes" : "no",
    ]);
    place.replaceChildren(table(["Step", "Checked", "Found", "Deleted", "Overdue", "Oldest overdue (s)", "Complete"], rows));
    place.hidden = !rows.length;
    tenants.replaceChildren(settingsByTenant(report.responsible_ai));
    tenants.hidden = false;
    status.textContent = run ? `The run of ${moment(run.at)} took ${run.seconds.toFixed(1)} s.` : "No run is recorded.";
  } catch (error) {
    for (const shown of [place, tenants]) {
      shown.hidden = true;
      shown.replaceChildren();
    }
    status.textContent = error.message === "401" || error.message === "403" ? "This token may not see it." : "The service does not answer.";
  }
}

document.getElementById("operator").addEventListener("submit", showSteps);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
await refresh();
setInterval(refresh, REFRESH_MS);
