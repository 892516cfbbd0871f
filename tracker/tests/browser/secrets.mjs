// Types a secret into every kind of field, in every way, and searches all that was sent for it.

import assert from 'node:assert/strict';
import { launch, newContext } from './browser.mjs';
import { page, startSite } from './site.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const TYPES = ['text', 'email', 'password', 'tel', 'url', 'search', 'number', 'date'];
const SECRET = { number: '8675309123', date: '1987-06-05', tel: '+381641234567', email: 'jane.roe@secret.example', url: 'https://secret.example/me' };
const secretOf = (type) => SECRET[type] ?? `secret of ${type}`;

const fields = TYPES.map((type) => `<label>${type} <input type="${type}" id="${type}" name="${type}"></label>`).join('');
const more = '<textarea id="area" name="area"></textarea><select id="choice" name="choice"><option>-</option><option value="secret option">secret option</option></select><div id="editor" contenteditable>.</div>';

const pages = {
  '/': page(`<form id="form">${fields}${more}<button type="button" id="dull">Dull</button></form><a id="go" href="/next">next</a>
    <script>customElements.define('shadow-form', class extends HTMLElement { constructor() { super(); this.attachShadow({ mode: 'open' }).innerHTML = '<form><input id="inner" name="inner"><input name="second"><button>Go</button></form>'; } })</script><shadow-form></shadow-form>`),
  '/next': page('<h1>next</h1>'),
};

const browser = await launch();
const site = await startSite(pages);
const context = await newContext(browser);
const tab = await context.newPage();
await tab.goto(site.origin);
await sleep(300);
for (const type of TYPES) {
  await tab.click(`#${type}`);
  if (type === 'date') await tab.fill('#date', secretOf('date'));
  else await tab.keyboard.type(secretOf(type));
}
await tab.click('#area');
await tab.keyboard.type('secret of the area');
await tab.keyboard.press('Control+A');
await tab.keyboard.press('Control+C');
await tab.keyboard.press('Control+V');
await tab.selectOption('#choice', 'secret option');
await tab.click('#editor');
await tab.keyboard.type('secret of the editor');
await tab.click('#inner');
await tab.keyboard.type('secret of the shadow');
// Clicks around them, so that there are labels and selectors to be sent.
await tab.locator('#dull').scrollIntoViewIfNeeded();
const { x, y } = await tab.locator('#dull').boundingBox();
await sleep(600);
for (let n = 0; n < 6; n++) {
  await tab.mouse.click(x + 9, y + 9);
  await sleep(100);
}
await sleep(1500);
for (const type of TYPES) await tab.click(`label:has(#${type})`, { position: { x: 3, y: 3 }, force: true });
await sleep(3500);
await tab.click('#go');
await tab.waitForURL('**/next');
await sleep(500);
await tab.goto('about:blank');
await sleep(800);

const sent = site.requests.map(({ text, headers }) => text + JSON.stringify(headers)).join('\n');
const names = new Set(site.events().map(({ name }) => name));
assert.ok(names.has('form_abandon') && names.has('rage_click'), [...names].join());
for (const secret of [...TYPES.map(secretOf), 'secret o', 'jane', '8675309', '641234', '1987']) assert.ok(!sent.includes(secret), `"${secret}" was sent`);
await browser.close();
await site.close();
console.log(`${TYPES.length + 4} fields typed into, ${site.events().length} events, nothing of it sent`);
