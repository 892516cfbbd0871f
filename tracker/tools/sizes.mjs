// Prints the sizes of the scripts beside those of others, and fails over the bounds: node tools/sizes.mjs [FOLDER]

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './bundle.mjs';

/** Bytes of gzip -9 that a script may have: a little more than it has, so that growth is a decision. */
const BOUNDS = { 'identity.js': 14_336, 'identity-lite.js': 7296 };

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
process.exitCode = isOver ? 1 : 0;
