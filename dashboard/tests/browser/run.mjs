// Tries the built dashboard in Chromium, in front of `identity dev` with its demo data: npm run test:browser [NAME…]

import { after, before, describe } from 'node:test';
import { access } from './access.mjs';
import { accessibility } from './accessibility.mjs';
import { addresses } from './addresses.mjs';
import { launch, signIn } from './browser.mjs';
import { collected } from './collected.mjs';
import { crossSite } from './cross-site.mjs';
import { failures } from './failures.mjs';
import { figures } from './figures.mjs';
import { first } from './first.mjs';
import { hostile } from './hostile.mjs';
import { loading } from './loading.mjs';
import { startTarget } from './target.mjs';
import { watch } from './watch.mjs';

/** Two rows of parts, side by side, as most of a test is waiting. What changes people, keys and projects is in the first. */
const LANES = [
  { first, figures, addresses, access, 'cross-site': crossSite, collected },
  { accessibility, failures, hostile, loading },
];
const wanted = process.argv.slice(2);
const LONGEST = 10 * 60_000;

setTimeout(() => {
  console.error('It takes too long');
  process.exit(1);
}, LONGEST).unref();

describe('dashboard', { concurrency: LANES.length }, () => {
  let target;
  let browser;
  let admin;
  let watched;
  before(async () => {
    target = await startTarget();
    browser = await launch();
    admin = await signIn(browser, target);
    watched = watch(admin.tab, target);
  });
  after(async () => {
    await browser?.close();
    target?.stop();
    watched?.assertQuiet();
  });
  const given = () => ({ target, browser, tab: admin.tab });
  for (const [number, parts] of LANES.entries()) {
    describe(`row ${number + 1}`, { concurrency: 1 }, () => {
      for (const [name, part] of Object.entries(parts)) if (!wanted.length || wanted.includes(name)) part(given);
    });
  }
});
