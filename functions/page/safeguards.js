// What the statement says of abuse monitoring and of the responsible-AI settings: counted for everybody, by tenant for operators.
import { element, moment, table } from "./elements.js";

const WORDS = { opted_out: "opted out" };
const DAY = 86_400;

function days(seconds) {
  if (seconds === null) return "no number is published";
  if (seconds === 0) return "nothing is kept";
  return seconds < DAY ? `${seconds} s` : `${Number((seconds / DAY).toFixed(1))} days`;
}

function words(value) {
  return WORDS[value] ?? value;
}

function counted(counts) {
  return Object.entries(counts).map(([name, count]) => `${count} ${words(name)}`).join(", ");
}

function source(clock) {
  const { url, dated } = clock.source;
  return element("a", { href: url, rel: "noreferrer" }, `${new URL(url).hostname}, ${dated}`);
}

export function showSafeguards({ abuse_monitoring: clocks, responsible_ai: settings }) {
  const { lethe, azure, azure_without_content_logging: without } = clocks;
  const whole = `at most ${days(lethe.ceiling_seconds)}; its key is gone for good after ${days(lethe.unrecoverable_after_seconds)}`;
  document.getElementById("clocks").replaceChildren(
    table(["Kept for abuse review", "For", "By"], [
      ["by Lethe, sealed", days(lethe.longest_seconds), whole],
      ["by Azure, where it logs content", days(azure.longest_seconds), source(azure)],
      ["by Azure, where ContentLogging is false", days(without.longest_seconds), source(without)],
    ]),
  );
  const figures = {
    Tenants: String(settings.tenants + settings.unreadable),
    "Content filter": counted(settings.content_filter),
    "Abuse monitoring": counted(settings.abuse_monitoring),
    Detection: counted(settings.detection),
    "Opt-outs, by what Azure shows": counted(settings.opt_outs),
    ...(settings.unreadable ? { "Policies that cannot be read": String(settings.unreadable) } : {}),
  };
  document.getElementById("settings").replaceChildren(
    ...Object.entries(figures).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

function since(setting) {
  const by = [setting.proposed_by, setting.applied_by].filter(Boolean).join(", then ");
  return setting.recorded ? `since ${moment(setting.since)} by ${by}` : `at least since ${moment(setting.since)}, unrecorded`;
}

function monitoring({ mode, approval, approved_on: on, confirmed_by_azure: azure }) {
  return mode === "opted_out" ? `opted out (${approval}, ${on}), ${azure} by Azure` : mode;
}

export function settingsByTenant({ settings }) {
  return table(["Tenant", "Content filter", "Abuse monitoring", "Detection"], settings.map((one) => [
    one.tenant,
    `${one.content_filter.mode}, ${since(one.content_filter)}`,
    `${monitoring(one.abuse_monitoring)}, ${since(one.abuse_monitoring)}`,
    `${one.detection.on ? "on" : "off"}, ${since(one.detection)}`,
  ]));
}
