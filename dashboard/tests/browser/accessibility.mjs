// For everybody: axe on every page in both themes, the keyboard alone, a narrow screen, paper.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, it } from 'node:test';
import { PAGES, newContext, settle, signIn, visit } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const violations = async (tab) => {
  const { violations } = await tab.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
};

/** The page's policy lets no script in but its own; this one comes from the browser's side. */
const bringAxe = (tab) => tab.context().addInitScript(axe);

export const accessibility = (given) =>
  describe('for everybody', () => {
    let target;
    let browser;
    let pages;
    before(async () => {
      ({ target, browser } = given());
      const { data } = await target.ask('sessions?limit=100');
      const { session_id, visitor_id } = data.reduce((best, session) => (session.event_count > best.event_count ? session : best));
      const { data: clicks } = await target.ask('insights/clicks?limit=1');
      const { selector, url } = clicks.rage_clicks[0];
      pages = [
        ...PAGES,
        `sessions/${session_id}`,
        `visitors/${visitor_id}`,
        `frustration?${new URLSearchParams({ type: 'rage_click', at: selector, url })}`,
        'nowhere',
        'visitors?search=nobody-is-called-this',
        'speed?project=shop',
        'forms?project=shop',
      ];
    });

    for (const colorScheme of ['light', 'dark']) {
      it(`axe finds nothing on any page, ${colorScheme}`, async () => {
        const { context, tab } = await signIn(browser, target, { colorScheme });
        await bringAxe(tab);
        await tab.reload();
        for (const page of pages) {
          await visit(tab, target, `#/${page}`);
          assert.deepEqual(await violations(tab), [], page);
        }
        await visit(tab, target, `#/?project=${target.project}`);
        await tab.locator('.chart-plot').focus();
        await tab.keyboard.press('ArrowRight');
        await tab.getByRole('button', { name: 'Own' }).click();
        assert.deepEqual(await violations(tab), [], 'chart’s tip and own days');
        await visit(tab, target, '#/settings');
        await tab.getByRole('button', { name: 'New project' }).click();
        assert.deepEqual(await violations(tab), [], 'a form');
        await visit(tab, target, `#/api?project=${target.project}`);
        await tab
          .getByRole('button', { name: /^Revoke key/ })
          .first()
          .click();
        assert.deepEqual(await violations(tab), [], 'a question');
        await context.close();
        const stranger = await newContext(browser, { colorScheme });
        const alone = await stranger.newPage();
        await bringAxe(alone);
        for (const hash of ['', '#/sign-in/wrong']) {
          await alone.goto('about:blank');
          await alone.goto(`${target.origin}/${hash}`);
          await alone.locator('main.alone pre').waitFor();
          assert.deepEqual(await violations(alone), [], hash);
        }
        await stranger.close();
      });
    }

    it('the keyboard alone gets everywhere', async () => {
      const { context, tab } = await signIn(browser, target);
      const isFocused = (text) => tab.waitForFunction((text) => document.activeElement.textContent.trim() === text, text);
      await tab.evaluate(() => document.activeElement.blur());
      await tab.keyboard.press('Tab');
      await isFocused('Skip to content');
      await tab.keyboard.press('Enter');
      await isFocused('Overview');
      await tab.keyboard.press('Tab');
      await isFocused('Today');
      for (let n = 0; n < 7; n++) await tab.keyboard.press('Tab');
      for (let n = 0; n < 10 && !(await tab.evaluate(() => document.activeElement.classList.contains('chart-plot'))); n++) await tab.keyboard.press('Tab');
      await tab.keyboard.press('ArrowLeft');
      const tip = await tab.locator('.chart-tip').innerText();
      const [last] = await tab.locator('.by-day tbody tr').last().allTextContents();
      assert.ok(tip.replace(/\s/g, '').length > 10);
      const today = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(Date.now());
      assert.ok(tip.includes(today), tip);
      assert.ok(last.includes(today));
      await tab.keyboard.press('ArrowLeft');
      assert.ok(!(await tab.locator('.chart-tip').innerText()).includes(today));

      await tab.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Sessions', exact: true }).focus();
      await tab.keyboard.press('Enter');
      await tab.waitForFunction(() => document.querySelector('h1').textContent === 'Sessions');
      await isFocused('Sessions');
      await settle(tab);
      await tab.locator('tbody a').first().focus();
      await tab.keyboard.press('Enter');
      await tab.locator('.timeline').waitFor();
      await context.close();
    });

    it('a narrow screen scrolls down alone, and has a menu', async () => {
      const { context, tab } = await signIn(browser, target, { viewport: { width: 360, height: 740 } });
      for (const page of pages) {
        await visit(tab, target, `#/${page}`);
        const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(over <= 0, `${page} is ${over} pixels too wide`);
      }
      await visit(tab, target, '#/');
      const link = tab.locator('.navigation').getByText('Visitors', { exact: true });
      assert.equal(await link.isVisible(), false);
      await tab.getByRole('button', { name: 'Menu' }).click();
      await link.click();
      await tab.getByRole('heading', { level: 1, name: 'Visitors' }).waitFor();
      await link.waitFor({ state: 'hidden' });
      await context.close();
    });

    it('paper has the figures and no buttons', async () => {
      const { context, tab } = await signIn(browser, target, { colorScheme: 'dark' });
      await visit(tab, target, '#/frustration');
      await tab.emulateMedia({ media: 'print', colorScheme: 'dark' });
      assert.equal(await tab.locator('.side').isVisible(), false);
      assert.equal(await tab.getByRole('button', { name: /CSV/ }).first().isVisible(), false);
      assert.equal(await tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), 'rgb(255, 255, 255)');
      assert.ok(await tab.locator('table').first().isVisible());
      await context.close();
    });
  });
