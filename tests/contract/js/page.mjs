// Opens Lethe's page in headless Chromium, as a person would, and prints what it saw as one line of JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const { URL: ADDRESS, TOKEN, SHOTS } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--disable-quic"];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--no-first-run", ...QUIET] });
const seen = { errors: [], elsewhere: [], bytes: 0, axe: {} };

async function open(options) {
  const context = await browser.newContext({ bypassCSP: false, ...options });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => new URL(request.url()).origin === new URL(ADDRESS).origin || seen.elsewhere.push(request.url()));
  page.on("response", async (response) => (seen.bytes += Number((await response.body().catch(() => "")).length)));
  await page.goto(ADDRESS, { waitUntil: "networkidle" });
  await page.waitForSelector(".card");
  return page;
}

async function violations(page) {
  const session = await page.context().newCDPSession(page); // the page's own policy keeps scripts out; the debugger is no script of it
  await session.send("Runtime.evaluate", { expression: AXE });
  const run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then((found) => found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`))";
  const { result } = await session.send("Runtime.evaluate", { expression: run, awaitPromise: true, returnByValue: true });
  return result.value;
}

const light = await open({ colorScheme: "light", viewport: { width: 1200, height: 900 } });
seen.weight = seen.bytes;
seen.states = await light.$$eval(".card", (cards) => Object.fromEntries(cards.map((card) => [card.querySelector("details").dataset.id, card.querySelector(".state").textContent])));
seen.axe.light = await violations(light);
seen.charts = await light.$$eval(".chart canvas", (all) => all.length);
seen.focused = [];
for (let presses = 0; presses < 30; presses += 1) {
  await light.keyboard.press("Tab");
  seen.focused.push(await light.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName));
}
await light.fill("#token", "no token");
await light.keyboard.press("Enter");
await light.waitForFunction(() => document.getElementById("operator-status").textContent);
seen.refused = await light.textContent("#operator-status");
await light.fill("#token", TOKEN);
await light.keyboard.press("Enter");
await light.waitForSelector("#steps table");
seen.steps = await light.$$eval("#steps tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent));
if (SHOTS) await light.screenshot({ path: `${SHOTS}/privacy-light.png`, fullPage: true });

const dark = await open({ colorScheme: "dark", viewport: { width: 1200, height: 900 } });
seen.axe.dark = await violations(dark);
if (SHOTS) await dark.screenshot({ path: `${SHOTS}/privacy-dark.png` });

const phone = await open({ colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true });
seen.overflow = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
seen.axe.phone = await violations(phone);
if (SHOTS) await phone.screenshot({ path: `${SHOTS}/privacy-phone.png` });

delete seen.bytes;
await browser.close();
console.log(JSON.stringify(seen));
