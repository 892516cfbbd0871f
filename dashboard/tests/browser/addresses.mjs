// The address is the state: it can be kept, sent, gone back from and loaded again.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { settle, signIn, visit } from './browser.mjs';
import { readTable } from './tables.mjs';

export const addresses = (given) =>
  describe('the address holds the state', () => {
    let tab;
    let target;
    before(() => {
      ({ tab, target } = given());
    });
    const hash = () => decodeURIComponent(new URL(tab.url()).hash);
    const nav = (name) => tab.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true });

    it('filters get into it, survive a reload, and go with the back button', async () => {
      await visit(tab, target, '#/visitors');
      const all = await tab.locator('.pager > span').first().innerText();
      await tab.getByLabel('Browser', { exact: true }).fill('Firefox');
      await tab.getByLabel('Country code').fill('US');
      await tab.getByRole('button', { name: 'Filter' }).click();
      await tab.waitForURL(/browser=Firefox/);
      await settle(tab);
      assert.match(hash(), /country=US/);
      const filtered = await readTable(tab, 'Latest visit first');
      assert.ok(filtered.every((row) => row[4].startsWith('Firefox')));
      await tab.reload();
      await settle(tab);
      assert.deepEqual(await readTable(tab, 'Latest visit first'), filtered);
      assert.equal(await tab.getByLabel('Browser', { exact: true }).inputValue(), 'Firefox');
      await tab.goBack();
      await settle(tab);
      assert.equal(await tab.getByLabel('Browser', { exact: true }).inputValue(), '');
      assert.equal(await tab.locator('.pager > span').first().innerText(), all);
      await tab.goForward();
      await settle(tab);
      await tab.getByRole('link', { name: 'Clear' }).click();
      await settle(tab);
      assert.equal(hash().includes('browser'), false);
    });

    it('pages of a list are in it, and another filter begins at the first', async () => {
      await visit(tab, target, '#/sessions');
      await tab.getByRole('link', { name: 'Next' }).click();
      await settle(tab);
      assert.match(hash(), /page=2/);
      assert.match(await tab.locator('.pager > span').first().innerText(), /^51–100 of/);
      await visit(tab, target, '#/sessions?page=9999');
      assert.match(await tab.locator('.pager').innerText(), /^Past the end of/);
      await tab.getByRole('link', { name: 'Previous' }).click();
      await settle(tab);
      assert.ok((await readTable(tab, 'Newest first')).length);
      await tab.getByRole('link', { name: '7 days' }).click();
      await settle(tab);
      assert.doesNotMatch(hash(), /page=/);
      await tab.getByRole('link', { name: '30 days' }).click();
      await settle(tab);
    });

    it('every range asks for its days, and stays while one goes to another page', async () => {
      const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
      const month = day(0).slice(0, 8);
      const lastOfPrevious = new Date(Date.parse(`${month}01`) - 86_400_000).toISOString().slice(0, 10);
      const ranges = {
        Today: [day(0), day(0)],
        '7 days': [day(-6), day(0)],
        '90 days': [day(-89), day(0)],
        'This month': [`${month}01`, day(0)],
        'Last month': [`${lastOfPrevious.slice(0, 8)}01`, lastOfPrevious],
        '30 days': [day(-29), day(0)],
      };
      await visit(tab, target, '#/forms');
      for (const [name, [from, to]] of Object.entries(ranges)) {
        const asked = tab.waitForRequest(/insights\/forms/);
        const isCurrent = await tab.getByRole('navigation', { name: 'Days' }).getByRole('link', { name, exact: true }).getAttribute('aria-current');
        if (isCurrent) continue;
        await tab.getByRole('navigation', { name: 'Days' }).getByRole('link', { name, exact: true }).click();
        const query = new URL((await asked).url()).searchParams;
        assert.deepEqual([query.get('start_date'), query.get('end_date')], [from, to], name);
        await settle(tab);
      }
      await tab.getByRole('button', { name: 'Own' }).click();
      await tab.getByLabel('From').fill(day(-5));
      await tab.getByLabel('To').fill(day(-3));
      await tab.getByRole('button', { name: 'Show', exact: true }).click();
      await settle(tab);
      assert.match(hash(), new RegExp(`from=${day(-5)}&to=${day(-3)}`));
      const asked = tab.waitForRequest(/\/metrics/);
      await nav('Speed').click();
      assert.match((await asked).url(), new RegExp(`start_date=${day(-5)}&end_date=${day(-3)}`));
      await settle(tab);
    });

    it('another project is shown with its own data, and kept', async () => {
      await visit(tab, target, '#/');
      await tab.getByLabel('Project').selectOption('shop');
      await tab.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value').innerText === '0');
      await settle(tab);
      assert.match(hash(), /project=shop/);
      await tab.getByRole('heading', { name: 'Put this into your site' }).waitFor();
      for (const page of ['live', 'visitors', 'sessions', 'frustration', 'pages', 'pages?tab=reading', 'pages?tab=seo', 'journeys', 'forms', 'acquisition', 'audience', 'speed']) {
        await visit(tab, target, `#/${page}${page.includes('?') ? '&' : '?'}project=shop`);
        assert.ok(await tab.locator('.state-title').count(), `${page} says that there is nothing`);
      }
      await tab.getByLabel('Project').selectOption(target.project);
      await tab.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1);
      await settle(tab);
    });

    it('the theme is the system’s until one is chosen, and that is kept', async () => {
      const { context, tab: dark } = await signIn(given().browser, target, { colorScheme: 'dark' });
      const ground = () => dark.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const ofDark = await ground();
      await dark.getByLabel('Colours').selectOption('light');
      const ofLight = await ground();
      assert.notEqual(ofDark, ofLight);
      await dark.reload();
      await settle(dark);
      assert.equal(await ground(), ofLight);
      await dark.getByLabel('Colours').selectOption('system');
      assert.equal(await ground(), ofDark);
      await dark.emulateMedia({ colorScheme: 'light' });
      await dark.waitForFunction((ground) => getComputedStyle(document.documentElement).backgroundColor === ground, ofLight);
      await context.close();
    });

    it('a page that does not exist says so', async () => {
      await visit(tab, target, '#/nowhere');
      assert.ok((await tab.locator('main').innerText()).includes('There is no such page'));
      const { context, tab: other } = await signIn(given().browser, target);
      await visit(other, target, '#/sessions/ses_that_never_was');
      assert.ok((await other.locator('main').innerText()).includes('Not found'));
      await context.close();
    });
  });
