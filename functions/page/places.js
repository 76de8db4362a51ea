// The places in which content lies, as bars: drawn as SVG, sized by the root of the count so that one is still seen beside many.
const NS = "http://www.w3.org/2000/svg";
const BAR = 18, NARROW = 560;
let shown = [];

function shape(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function layout(width) {
  return width < NARROW ? { row: 62, x: 0, barY: 34, room: width, countY: 13 } : { row: 38, x: 310, barY: 4, room: width - 370, countY: 18 };
}

export function drawPlaces(svg, places) {
  shown = places;
  const width = Math.max(240, svg.clientWidth);
  const { row, x, barY, room, countY } = layout(width);
  const most = Math.max(1, ...places.map((place) => place.count ?? 0));
  let end = 0;
  svg.replaceChildren(
    ...places.flatMap((place) => {
      const y = end;
      end += place.count === null ? Math.min(row, 38) : row;
      const words = [
        shape("text", { x: 0, y: y + 13 }, place.place),
        shape("text", { x: 0, y: y + 28, class: "note" }, place.holds),
        shape("text", { x: width, y: y + countY, class: "count" }, place.count === null ? "–" : place.count.toLocaleString("en")),
      ];
      if (place.count === null) return words; // an empty bar would look like none
      const bar = { x, y: y + barY, height: BAR, rx: 4 };
      const length = place.count ? Math.max(3, Math.sqrt(place.count / most) * room) : 0;
      return [...words, shape("rect", { ...bar, width: room, class: "track" }), shape("rect", { ...bar, width: length, class: "bar" })];
    }),
  );
  svg.setAttribute("viewBox", `0 0 ${width} ${end}`);
  svg.setAttribute("height", end);
}

addEventListener("resize", () => drawPlaces(document.getElementById("places"), shown));
