// Takes pictures of every page in both themes and on a narrow screen, to look at: npm run screenshots [NAME…]

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/folders.mjs';
import { PAGES, launch, signIn, visit } from './browser.mjs';
import { startTarget } from './target.mjs';

const folder = join(root, 'screenshots');
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const target = await startTarget();
const browser = await launch();
const { data: sessions } = await target.ask('sessions?limit=100');
const longest = sessions.reduce((best, session) => (session.event_count > best.event_count ? session : best));
const { data: frustration } = await target.ask('insights/frustration?limit=1');
const { data: clicks } = await target.ask('insights/clicks?limit=1');
const { selector, url } = clicks.rage_clicks[0];
const pages = [
  ...PAGES,
  `sessions/${longest.session_id}`,
  `visitors/${frustration.scores[0].visitor_id}`,
  `frustration?${new URLSearchParams({ type: 'rage_click', at: selector, url })}`,
  'nowhere',
];
const nameOf = (page) =>
  page
    .replace(/[?/].*?(?==|_)|\?.*/, (rest) => (rest.includes('tab') ? '-tab' : '-one'))
    .replace(/[^\w-]+/g, '-')
    .slice(0, 24) || 'overview';
for (const [variant, options] of Object.entries({ light: {}, dark: { colorScheme: 'dark' }, narrow: { viewport: { width: 390, height: 844 } } })) {
  const { context, tab } = await signIn(browser, target, options);
  for (const page of pages) {
    const name = nameOf(page);
    if (wanted.length && !wanted.includes(name)) continue;
    await visit(tab, target, `#/${page}`);
    await tab.screenshot({ path: join(folder, `${name}-${variant}.png`), fullPage: true });
    console.log(`${name}-${variant}.png`);
  }
  await context.close();
}
await browser.close();
target.stop();
