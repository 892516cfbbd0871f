// The web vitals must be those that the web-vitals library measures on the same page, with each script.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, newContext } from './browser.mjs';
import { page, startSite } from './site.mjs';

const library = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/web-vitals/dist/web-vitals.iife.js'), 'utf8');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const script = `<script>${library}</script><script>
  window.measured = {};
  for (const name of ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']) {
    webVitals['on' + name](({ value }) => { measured[name.toLowerCase()] = value; }, { reportAllChanges: true });
  }
</script>`;

const burn = (ms) => `for (const t = performance.now(); performance.now() - t < ${ms};);`;

const pages = {
  '/': page(
    `<h1>Title</h1><div id="late"></div><button id="fast">fast</button><button id="slow" onclick="${burn(150)}this.textContent += '!'">slow</button>
    <p style="font-size:60px">A large paragraph that comes with the page</p>
    <script>
      setTimeout(() => { late.innerHTML = '<div style="height:150px;font-size:90px">A late and larger banner of text</div>'; }, 700);
      setTimeout(() => { late.style.height = '260px'; }, 2200);
      setTimeout(() => { late.style.height = '200px'; }, 2700);
    </script>`,
    { head: script },
  ),
};

const browser = await launch();
const rows = [];
const visits = [
  ['nobody touches it', async () => {}],
  ['one slow click', async (tab) => tab.click('#slow')],
  [
    'sixty clicks, two of them slow',
    async (tab) => {
      await tab.click('#slow');
      await tab.click('#slow');
      for (let n = 0; n < 58; n++) await tab.click('#fast', { delay: 5 });
    },
  ],
];
for (const [isLite, [what, act]] of [false, true].flatMap((isLite) => visits.map((visit) => [isLite, visit]))) {
  const name = isLite ? `${what}, small` : what;
  let theirs;
  const site = await startSite({
    ...pages,
    '/measured': (request, response) => {
      request.on('data', (chunk) => { theirs = JSON.parse(chunk); });
      response.end();
    },
  }, { isLite });
  const context = await newContext(browser);
  const tab = await context.newPage();
  await tab.goto(site.origin);
  await sleep(3200);
  await act(tab);
  await sleep(400);
  await tab.evaluate(() => {
    // The library tells its last word when the page is hidden.
    document.addEventListener('visibilitychange', () => navigator.sendBeacon('/measured', JSON.stringify(measured)));
  });
  await tab.goto('about:blank');
  await sleep(800);
  const ours = Object.assign({}, ...site.events('web_vitals').map(({ data }) => data));
  for (const metric of ['ttfb', 'fcp', 'lcp', 'cls', 'inp']) {
    rows.push([name, metric, theirs[metric], ours[metric]]);
    const tolerance = metric === 'cls' ? 0.0001 : 1;
    if (theirs[metric] === undefined) assert.equal(ours[metric], undefined, `${name}: ${metric}`);
    else assert.ok(Math.abs(theirs[metric] - ours[metric]) <= tolerance, `${name}: ${metric} is ${theirs[metric]} by the library, ${ours[metric]} here`);
  }
  await context.close();
  await site.close();
}
await browser.close();
for (const [name, metric, theirs, ours] of rows) console.log(`${name.padEnd(40)}${metric.padEnd(6)}${String(theirs?.toFixed?.(4)).padStart(12)}${String(ours).padStart(12)}`);
console.log('The vitals are those of the web-vitals library');
