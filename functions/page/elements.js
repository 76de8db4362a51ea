// Elements with text only: nothing that the service says is ever read as markup.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function table(heads, rows) {
  const isNumber = (at) => at > 0 && rows.every((row) => typeof row[at] === "string" && /^[\d.,–]+$/.test(row[at]));
  const cell = (name, text, at) => element(name, isNumber(at) ? { class: "number" } : {}, text);
  const head = element("tr", {}, ...heads.map((text, at) => Object.assign(cell("th", text, at), { scope: "col" })));
  const body = rows.map((row) => element("tr", {}, ...row.map((text, at) => cell("td", text, at))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

export function whole(number) {
  return number === null || number === undefined ? "–" : Math.round(number).toLocaleString("en");
}

export function moment(seconds) {
  return new Date(seconds * 1000).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });
}
