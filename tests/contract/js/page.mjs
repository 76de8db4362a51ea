// Opens Lethe's page as a person would, and prints what it saw as one line of JSON.
import { DESKTOP, PHONE, askAsOperator, launch, open, states, violations, weight } from "./browser.mjs";

const { URL: ADDRESS, OPERATOR, TENANT } = process.env;
const browser = await launch();
const seen = { axe: {}, refused: [] };

async function openDetails(page) {
  await page.$$eval("details", (all) => all.forEach((details) => (details.open = true)));
}

const { page: light, did } = await open(browser, ADDRESS, { ...DESKTOP, colorScheme: "light" });
await light.waitForSelector("canvas");
seen.weight = await weight(did);
seen.states = await states(light);
seen.axe.light = await violations(light);
seen.charts = await light.$$eval(".chart canvas", (all) => all.length);
seen.clocks = await light.$$eval("#clocks tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
seen.settings = await light.$$eval("#settings dt", (names) => Object.fromEntries(names.map((name) => [name.textContent, name.nextElementSibling.textContent])));
seen.places = await light.$$eval("#places-table tbody tr", (rows) => rows.length);

seen.focused = [];
seen.unmarked = [];
for (let presses = 0; presses < 60 && seen.focused.at(-1) !== "BODY"; presses += 1) {
  await light.keyboard.press("Tab");
  const [name, outline] = await light.evaluate(() => {
    const active = document.activeElement;
    return [active.id || active.className || active.tagName, getComputedStyle(active).outlineStyle];
  });
  seen.focused.push(name);
  if (outline === "none" && name !== "BODY") seen.unmarked.push(name);
}
await light.locator(".card summary").first().focus();
await light.keyboard.press("Enter");
seen.opened = await light.locator(".card details").first().evaluate((details) => details.open);

seen.errors = [...did.errors]; // the browser itself tells of a refusal as of an error
for (const token of ["no token", TENANT]) {
  await light.evaluate(() => (document.getElementById("operator-status").textContent = ""));
  await askAsOperator(light, token);
  await light.waitForFunction(() => document.getElementById("operator-status").textContent);
  seen.refused.push(await light.textContent("#operator-status"));
}
await askAsOperator(light, OPERATOR);
await light.waitForSelector("#steps table");
seen.steps = await light.$$eval("#steps tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent));
seen.tenants = await light.$$eval("#tenants tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
await openDetails(light);
seen.axe.lightOpened = await violations(light);
seen.kept = await light.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);

const dark = await open(browser, ADDRESS, { ...DESKTOP, colorScheme: "dark" });
seen.ground = await dark.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
await openDetails(dark.page);
await askAsOperator(dark.page, OPERATOR);
await dark.page.waitForSelector("#steps table");
seen.axe.dark = await violations(dark.page);

const phone = await open(browser, ADDRESS, { ...PHONE, colorScheme: "light" });
await openDetails(phone.page);
seen.overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
seen.axe.phone = await violations(phone.page);

const all = [{ page: light, did }, dark, phone];
seen.elsewhere = all.flatMap((one) => one.did.elsewhere);
seen.errors.push(...dark.did.errors, ...phone.did.errors);
seen.policy = (await Promise.all(all.map(({ page }) => page.evaluate(() => refusedContent)))).flat();
seen.intruders = await phone.page.evaluate(async () => {
  document.body.append(Object.assign(document.createElement("script"), { textContent: "globalThis.intruded = true" }));
  document.body.append(Object.assign(document.createElement("img"), { src: "data:," }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  return [...refusedContent, globalThis.intruded ?? "kept out"];
});

await browser.close();
console.log(JSON.stringify(seen));
