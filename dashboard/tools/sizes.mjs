// Prints what a browser fetches, and fails over the bounds: node tools/sizes.mjs [FOLDER]

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './folders.mjs';

/** Bytes of brotli. */
const FIRST = 60_000;
const FURTHER = 10_000;

const folder = resolve(process.argv[2] ?? join(root, 'dist'));
const { first, pages } = JSON.parse(readFileSync(join(folder, 'pages.json'), 'utf8'));
const packed = (file) => readFileSync(join(folder, `${file}.br`)).length;
const sum = (files) => files.reduce((total, file) => total + packed(file), 0);

let isOver = false;
const row = (name, bytes, bound) => {
  console.log(name.padEnd(40) + String(bytes).padStart(8) + (bound ? String(bound).padStart(8) : ''));
  if (bound && bytes > bound) {
    isOver = true;
    console.error(`${name} is ${bytes - bound} bytes over its bound`);
  }
};
console.log(`${'brotli'.padEnd(40)}   bytes   bound`);
row('first load of the Overview', sum(first), FIRST);
for (const file of first) row(`  ${file}`, packed(file));
for (const [page, files] of Object.entries(pages)) {
  row(`further: ${page}`, sum(files), FURTHER);
  if (files.length > 1) for (const file of files) row(`  ${file}`, packed(file));
}
process.exitCode = isOver ? 1 : 0;
