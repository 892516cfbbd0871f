// Compares dist/ with what was just built: node tools/compare.mjs FOLDER. Files must be the same byte for byte; what is packed
// must hold them, as versions of zlib and brotli pack differently.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { root } from './folders.mjs';

const dist = join(root, 'dist');
const built = process.argv[2];
const list = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
const read = (folder, name) => {
  const bytes = readFileSync(join(folder, name));
  if (name.endsWith('.gz')) return gunzipSync(bytes);
  if (name.endsWith('.br')) return brotliDecompressSync(bytes);
  return bytes;
};
const names = list(built);
const committed = list(dist);
const stale = names.filter((name) => !committed.includes(name) || !read(dist, name).equals(read(built, name)));
const extra = committed.filter((name) => !names.includes(name));
for (const name of [...stale, ...extra]) console.error(`dist/${name} is not what src builds: npm run build`);
if (stale.length || extra.length) process.exitCode = 1;
else console.log('dist is what src builds');
