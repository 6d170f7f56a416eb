// Opens each page in headless Chromium, at a phone's and a desktop's width, and asks axe-core for violations and the
// page for anything wider than it. Usage: node axe.mjs MODULES PAGE... ; exit code 1 if anything is wrong.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, ...pages] = process.argv.slice(2);
const require = createRequire(modules + "/");
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
let bad = false;
const wrong = (text) => {
  console.log(text);
  bad = true;
};
for (const page of pages) {
  for (const width of [390, 1440]) {
    const tab = await browser.newPage();
    // The page forbids scripts by its own policy; ours is the examiner's.
    await tab.setBypassCSP(true);
    await tab.setViewport({ width, height: 900, isMobile: width < 800, hasTouch: width < 800 });
    await tab.goto(pathToFileURL(page).href, { waitUntil: "load" });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) wrong(`${page} at ${width} px: ${wide} px wide`);
    await tab.evaluate(axe);
    const found = await tab.evaluate((values) => axe.run(document, { runOnly: { type: "tag", values } }), tags);
    for (const v of found.violations) wrong(`${page} at ${width} px: ${v.id}: ${v.help}: ${v.nodes[0].html}`);
    console.log(`axe: ${width} px, ${found.passes.length} rules passed, ${found.violations.length} violated`);
    await tab.close();
  }
}
await browser.close();
process.exit(bad ? 1 : 0);
