// Charts by uPlot, in the page's own colours, each with its figures as a table for those who do not see it.
import { element, table, whole } from "./elements.js";

const HEIGHT = 200;
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)); // nobody deletes half a document
const drawn = new WeakMap();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw(place, options, data, rows) {
  const before = place.querySelector("details");
  const isOpen = before?.open, hadFocus = before?.contains(document.activeElement);
  drawn.get(place)?.destroy();
  drawn.delete(place);
  if (!data[0].length) {
    place.replaceChildren(element("p", { class: "empty" }, "Nothing yet."));
    return;
  }
  place.replaceChildren();
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
  const chart = new uPlot(
    {
      width: place.clientWidth - 16, height: HEIGHT, legend: { show: false }, cursor: { y: false }, ...options,
      axes: [{ ...axis, ...options.axes?.[0] }, { ...axis, size: 56, ...options.axes?.[1] }],
    },
    data,
    place,
  );
  chart.root.setAttribute("role", "img");
  chart.root.setAttribute("aria-label", place.parentElement.querySelector("h2").textContent);
  const figures = element("details", {}, element("summary", {}, "As a table"), table(rows[0], rows[1]));
  figures.open = Boolean(isOpen);
  place.append(figures);
  if (hadFocus) figures.firstElementChild.focus();
  drawn.set(place, chart);
}

export function bars(place, labels, counts, unit) {
  const at = labels.map((_, index) => index);
  draw(
    place,
    {
      scales: { x: { time: false, range: () => [-0.6, labels.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      series: [{}, { fill: colour("--bar"), stroke: colour("--bar"), paths: uPlot.paths.bars({ size: [0.7, 80] }), points: { show: false } }],
      axes: [{ splits: () => at, values: (_, splits) => splits.map((split) => labels[split] ?? ""), grid: { show: false } }, { incrs: WHOLE }],
    },
    [at, counts],
    [["When", unit], labels.map((label, index) => [label, whole(counts[index])])],
  );
}

export function line(place, times, values, unit) {
  const latest = times.map((time, index) => [new Date(time * 1000).toLocaleTimeString("en"), whole(values[index])]).slice(-12);
  draw(
    place,
    {
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      series: [{}, { stroke: colour("--accent"), width: 2, spanGaps: false, points: { show: times.length < 40, fill: colour("--accent") } }],
    },
    [times, values],
    [["Run", unit], latest],
  );
}

addEventListener("resize", () => {
  for (const place of document.querySelectorAll(".chart")) drawn.get(place)?.setSize({ width: place.clientWidth - 16, height: HEIGHT });
});
