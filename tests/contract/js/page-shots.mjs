// Takes the pictures of Lethe's page that the documents show.
import { DESKTOP, PHONE, launch, open } from "./browser.mjs";

const { URL: ADDRESS, SHOTS } = process.env;
const WANTED = JSON.parse(SHOTS); // of each: file, colour scheme, whether on a phone, and what it begins and ends with
const browser = await launch();
for (const { path, colorScheme, phone, first, last } of WANTED) {
  const { page } = await open(browser, ADDRESS, { ...(phone ? PHONE : DESKTOP), colorScheme });
  await page.waitForSelector("canvas");
  const [top, bottom] = await page.evaluate(([from, to]) => {
    const edges = (selector) => document.querySelector(selector).getBoundingClientRect();
    return [from ? edges(from).top - 16 : 0, edges(to).bottom + 6];
  }, [first, last]);
  const { width } = page.viewportSize();
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: top, width, height: bottom - top } });
}
await browser.close();
console.log("{}");
