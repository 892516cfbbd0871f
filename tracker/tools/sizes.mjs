// Prints the sizes of the scripts beside those of others, and fails over the bounds: node tools/sizes.mjs [FOLDER]

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SCRIPTS, minifiedInputs, root } from './bundle.mjs';

/** Bytes of gzip -9 that a script may have. The first is meant to have 8 KiB, the small one 3.5; the second a little more than it has, so that growth is a decision. */
const BOUNDS = { 'identity.js': 8704, 'identity-more.js': 7392, 'identity-lite.js': 3584 };

const folder = resolve(process.argv[2] ?? join(root, 'dist'));
const size = (name) => readFileSync(join(folder, name)).length;

let isOver = false;
const row = (name, ...numbers) => console.log(name.padEnd(46) + numbers.map((number) => String(number).padStart(9)).join(''));
row('', 'raw', 'gzip -9', 'brotli', 'bound');
for (const [name, bound] of Object.entries(BOUNDS)) {
  const packed = size(`${name}.gz`);
  row(name, size(name), packed, size(`${name}.br`), bound);
  if (packed > bound) {
    isOver = true;
    console.error(`${name} is ${packed - bound} bytes over its bound`);
  }
}
console.log('\nOthers, gzip -9, measured in 2026:');
for (const [name, packed] of [
  ['umami 2026-05 (page views, events)', 1529],
  ['plausible 0.4.6 (and engagement)', 2694],
  ['web-vitals 6.2.3 alone', 3348],
  ['swetrix 4.6.1', 6234],
  ['@rybbit/js 0.6.2', 8881],
  ['snowplow browser-tracker 4.10.1, core', 17402],
  ['datadog rum-slim 7.16.0', 50266],
  ['posthog 1.449.2 slim, dead clicks, errors, vitals', 72474],
]) {
  row(name, '', packed);
}

console.log('\nWhat the parts have of gzip -9, by their share of the minified bytes:');
const PARTS = {
  'start, settings, calls, guard, events of the site': /auto|script|api|settings|allowed|guard|quietly|custom|name|dom|json|start|first|kit/,
  'visitor, session, storage, consent, fingerprint, bot': /identity|record|session|storage|lite.store|fingerprint|random|bot/,
  'batches, transport, store, carrying': /batch|events|queue|transport|store/,
  'page views, routes, addresses, masking': /pages|navigation|address|text/,
  'errors': /errors|stack/,
  'web vitals': /vitals|entries/,
  'clicks, their selectors and labels': /clicks|chain|answers|phantoms|elements|input/,
  'forms': /forms/,
  'reading': /reading/,
  'search engines': /seo/,
  'console': /logs/,
  'fetching the second script': /src.more/,
  'bait, heartbeat, links, frustration': /./,
};
for (const name of Object.keys(BOUNDS)) {
  console.log(`\n${name}`);
  const inputs = await minifiedInputs(SCRIPTS[name]);
  const total = inputs.reduce((sum, [, bytes]) => sum + bytes, 0);
  const sums = {};
  for (const [path, bytes] of inputs) {
    const part = Object.keys(PARTS).find((part) => PARTS[part].test(path));
    sums[part] = (sums[part] ?? 0) + bytes;
  }
  for (const [part, bytes] of Object.entries(sums).sort(([, a], [, b]) => b - a)) if (bytes) row(`  ${part}`, bytes, Math.round((size(`${name}.gz`) * bytes) / total));
}
process.exitCode = isOver ? 1 : 0;
