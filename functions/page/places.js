// The places in which content lies, as bars: drawn as SVG, sized by the root of the count so that one is still seen beside many.
const NS = "http://www.w3.org/2000/svg";
const ROW = 34, LABEL = 250, WIDTH = 760, RIGHT = 90;

function shape(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

export function drawPlaces(svg, places) {
  const most = Math.max(1, ...places.map((place) => place.count ?? 0));
  const room = WIDTH - LABEL - RIGHT;
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${places.length * ROW + 6}`);
  svg.replaceChildren(
    ...places.flatMap((place, at) => {
      const y = at * ROW + 8;
      const width = place.count ? Math.max(3, Math.sqrt(place.count / most) * room) : 0;
      return [
        shape("text", { x: 0, y: y + 13 }, place.place),
        shape("text", { x: 0, y: y + 27, class: "note" }, place.holds),
        shape("rect", { x: LABEL, y, width: room, height: 18, rx: 4, class: "track" }),
        shape("rect", { x: LABEL, y, width, height: 18, rx: 4, class: place.late ? "late" : "bar" }),
        shape("text", { x: WIDTH - 6, y: y + 14, class: "count" }, place.count === null ? "–" : place.count.toLocaleString("en")),
      ];
    }),
  );
}
