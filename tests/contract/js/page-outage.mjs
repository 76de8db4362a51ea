// Has Lethe's page open while the service loses its store, and prints what the page said then, and what a new one says.
import { writeFileSync } from "node:fs";
import { DESKTOP, launch, open, states, violations } from "./browser.mjs";

const { URL: ADDRESS, OPENED } = process.env;
const browser = await launch();
const { page } = await open(browser, ADDRESS, DESKTOP);
const before = await states(page);
writeFileSync(OPENED, "");
for (let colorScheme = "dark"; !(await page.textContent("#alarm")); colorScheme = colorScheme === "dark" ? "light" : "dark") {
  await page.emulateMedia({ colorScheme }); // it reads again what it draws again
  await page.waitForTimeout(500);
}
const old = { alarm: await page.textContent("#alarm"), states: await states(page), figures: await page.isVisible("#overview"), settings: await page.isVisible("#safeguards") };
const fresh = (await open(browser, ADDRESS, DESKTOP, "#alarm")).page;
const seen = { before, old, fresh: { alarm: await fresh.textContent("#alarm"), states: await states(fresh) }, axe: [...(await violations(page)), ...(await violations(fresh))] };
await browser.close();
console.log(JSON.stringify(seen));
