// Opens pages in Chromium as readers do, and fails on what no page may have.
//
//   node check.mjs [--shots FOLDER] [--hostile] [--ready-ms N] [--quick] PAGE.html...
//
// Each page is opened at 390, 1280 and 2560 pixels, light and dark, with and without JavaScript. It fails on a console
// error, on any request but for the file itself, where the page scrolls sideways, and on violations that axe-core finds,
// for which it is looked at light at 1280 pixels and dark at 390.
// --quick: only how soon the page is ready, and its looks at 1280 pixels.
// --hostile: the page was made from texts that try to run; none may have come to act.
// --ready-ms: with JavaScript, the page must be ready for the reader within so many milliseconds (the best of three).
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options, positionals: pages } = parseArgs({
  allowPositionals: true,
  options: { shots: { type: "string" }, hostile: { type: "boolean" }, "ready-ms": { type: "string" }, quick: { type: "boolean" }, chromium: { type: "string" } },
});
if (!pages.length) throw new Error("no page was named");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const executablePath = options.chromium ?? process.env.ACCELBENCH_TEST_CHROMIUM ?? "/usr/bin/chromium";
const problems = [];
if (options.shots) mkdirSync(options.shots, { recursive: true });

// With a profile of its own, which goes when it is closed.
const browser = await chromium.launch({ executablePath, args, headless: true });

/** Opens a page as a reader who was never there and hands it to `check`. */
async function open(file, { width, scheme, scripts }, check) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 1000 }, colorScheme: scheme, javaScriptEnabled: scripts, reducedMotion: "reduce",
  });
  const name = `${basename(file, ".html")}-${width}-${scheme}${scripts ? "" : "-noscript"}`;
  const wrong = (what) => { problems.push(`${name}: ${what}`); };
  try {
    const page = await context.newPage();
    const url = pathToFileURL(resolve(file)).href;
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong(`console: ${message.text()}`); });
    page.on("pageerror", (error) => wrong(`script: ${error.message}`));
    page.on("dialog", (dialog) => { wrong(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("popup", () => wrong("a window was opened"));
    page.on("request", (request) => { if (request.url().split("#")[0] !== url) wrong(`asked for ${request.url()}`); });
    await page.goto(url, { waitUntil: "load" });
    await check(page, name, wrong);
  } finally {
    await context.close();
  }
}

/** Widths that may not be exceeded, measured where scripts of the page itself do not run too. */
async function sideways(page, wrong) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (content > window) {
    const wide = await page.evaluate((limit) => [...document.querySelectorAll("body *")]
      .filter((part) => part.getBoundingClientRect().right > limit + 1 && !part.closest(".scroll"))
      .slice(0, 3).map((part) => part.outerHTML.slice(0, 120)), window);
    wrong(`scrolls sideways: ${content} > ${window}: ${wide.join(" | ")}`);
  }
}

async function accessible(page, wrong) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
  }));
  for (const violation of violations) {
    const nodes = violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.failureSummary?.replace(/\s+/g, " ").slice(0, 200)})`);
    wrong(`axe: ${violation.id}: ${violation.help}: ${violation.nodes.length}: ${nodes.join(" | ")}`);
  }
}

/** Elements and attributes that no page has by itself. */
async function inert(page, wrong) {
  const acts = await page.evaluate(() => {
    const own = (node) => node.tagName === "SCRIPT" && !node.src && node === document.scripts[document.scripts.length - 1];
    const odd = [...document.querySelectorAll("script, iframe, object, embed, img, image, base, link, meta[http-equiv=refresh], foreignObject, animate, set, video, audio")]
      .filter((node) => !own(node));
    const handlers = [...document.querySelectorAll("*")].filter((node) => [...node.attributes].some((attribute) => attribute.name.startsWith("on")));
    const links = [...document.querySelectorAll("[href], [src], [action]")].filter((node) => !/^(#|https:\/\/github\.com\/|\.\/|[\w./-]+$)/.test(node.getAttribute("href") ?? node.getAttribute("src") ?? node.getAttribute("action")));
    return [...odd, ...handlers, ...links].slice(0, 5).map((node) => node.outerHTML.slice(0, 160)).concat(globalThis.pwned ? ["a script ran"] : []);
  });
  acts.forEach((what) => wrong(`not inert: ${what}`));
  const text = await page.evaluate(() => document.body.textContent);
  if (/[\u202a-\u202e\u2066-\u2069\u200b\u0000-\u0008]/.test(text)) wrong("not inert: letters that change the direction or can't be seen");
}

/** What the page's own script gives. */
async function used(page, wrong) {
  if (await page.evaluate(() => !("ready" in document.documentElement.dataset))) return wrong("its script did not come to its end");
  const hidden = () => page.evaluate(() => [...document.querySelectorAll(".body .d0")].filter((part) => part.getClientRects().length).length);
  const box = page.locator("#filter input[value=d0]");
  if (await box.count()) {
    const before = await hidden();
    await box.setChecked(false);
    if (before && await hidden()) wrong("a device that was filtered out is still there");
    await box.setChecked(true);
    if (await hidden() !== before) wrong("a device did not come back");
  }
  const head = page.locator("table.sort thead button:visible").nth(1);
  if (await head.count()) {
    await head.click();
    if (!await page.locator("th[aria-sort]").count()) wrong("a table did not sort");
  }
  const link = page.locator("td a[href^='#r']:visible").first();
  if (await link.count()) {
    await link.scrollIntoViewIfNeeded();
    // A scroll takes a tooltip away, and a link that wraps is where its first line is.
    await page.waitForTimeout(100);
    const { x, y } = await link.evaluate((node) => { const { x, y } = node.getClientRects()[0]; return { x, y }; });
    await page.mouse.move(x + 2, y + 2);
    await page.mouse.move(x + 4, y + 4);
    if (!(await page.locator("#tip").textContent())) wrong("a figure has no tooltip");
    await link.click();
    const open = await page.evaluate(() => document.querySelector(":target")?.getClientRects().length);
    if (!open) wrong("a figure's link leads nowhere that can be seen");
  }
}

for (const file of pages) {
  for (const width of options.quick ? [1280] : [390, 1280, 2560]) {
    for (const scheme of options.quick ? ["light"] : ["light", "dark"]) {
      for (const scripts of [true, false]) {
        await open(file, { width, scheme, scripts }, async (page, name, wrong) => {
          await sideways(page, wrong);
          if (options.hostile) await inert(page, wrong);
          if (options.shots) {
            await page.screenshot({ path: join(options.shots, `${name}-first.png`) });
            // Taller ones are more than Chromium can draw at once.
            const height = await page.evaluate(() => document.documentElement.scrollHeight);
            if (scripts && height < 16384) await page.screenshot({ path: join(options.shots, `${name}.png`), fullPage: true });
          }
          if (scripts) {
            if (options.quick ? false : width === (scheme === "light" ? 1280 : 390)) await accessible(page, wrong);
            await used(page, wrong);
            await page.evaluate(() => document.querySelectorAll("details").forEach((box) => { box.open = true; }));
            await sideways(page, wrong);
          }
        });
      }
    }
  }
  if (options["ready-ms"]) {
    let best = Infinity;
    for (let round = 0; round < 3; round += 1) {
      await open(file, { width: 1280, scheme: "light", scripts: true }, async (page) => {
        best = Math.min(best, await page.evaluate(() => performance.getEntriesByType("navigation")[0].domInteractive));
      });
    }
    console.log(`${file}: ready after ${best.toFixed(0)} ms`);
    if (best > Number(options["ready-ms"])) problems.push(`${file}: ready only after ${best.toFixed(0)} ms`);
  }
}
await browser.close();
problems.forEach((problem) => console.error(problem));
console.log(problems.length ? `${problems.length} problems` : "no problem");
process.exitCode = problems.length ? 1 : 0;
