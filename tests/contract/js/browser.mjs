// Lethe's page in headless Chromium, and what a page did: errors, refused content, addresses, bytes, violated rules of axe.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const { CHROMIUM = "/usr/bin/chromium" } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = ["background-networking", "component-update", "sync", "gpu", "quic"].map((what) => `--disable-${what}`);
const RULES = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }";

export const DESKTOP = { viewport: { width: 1200, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--no-first-run", ...QUIET] });
}

/** Opens the page; `ready` is what has to be seen before it counts as open. */
export async function open(browser, address, options, ready = ".card") {
  const page = await (await browser.newContext(options)).newPage();
  const did = { errors: [], elsewhere: [], bodies: [] };
  page.on("console", (message) => message.type() === "error" && did.errors.push(message.text()));
  page.on("pageerror", (error) => did.errors.push(String(error)));
  page.on("request", (request) => new URL(request.url()).origin === new URL(address).origin || did.elsewhere.push(request.url()));
  page.on("response", (response) => did.bodies.push(response.body().then((body) => body.length, () => 0)));
  await page.addInitScript(() => {
    globalThis.refusedContent = [];
    addEventListener("securitypolicyviolation", (event) => refusedContent.push(event.effectiveDirective));
  });
  await page.goto(address, { waitUntil: "load" });
  await page.waitForFunction((selector) => document.querySelector(selector)?.textContent, ready);
  return { page, did };
}

export async function weight(did) {
  return (await Promise.all(did.bodies)).reduce((sum, bytes) => sum + bytes, 0);
}

/** Violated rules; fails when axe did not look at the page in earnest. */
export async function violations(page) {
  const session = await page.context().newCDPSession(page); // the page's own policy keeps scripts out; the debugger is no script of it
  const { exceptionDetails } = await session.send("Runtime.evaluate", { expression: AXE });
  const expression = `axe.run(document, ${RULES}).then(({ passes, violations }) => [passes.length, violations.map((one) => one.id + ": " + one.nodes[0].html)])`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails || !(result.value?.[0] > 10)) throw new Error(`axe did not run: ${JSON.stringify(exceptionDetails ?? result)}`);
  return result.value[1];
}

export function states(page) {
  return page.$$eval(".card", (cards) => Object.fromEntries(cards.map((card) => [card.querySelector("details").dataset.id, card.querySelector(".state").textContent])));
}

export async function askAsOperator(page, token) {
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
}
