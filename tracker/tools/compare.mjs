// Compares dist/ with what was just built: node tools/compare.mjs FOLDER. Scripts must be the same byte for byte; what is packed
// must hold them, as versions of zlib and brotli pack differently.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { root } from './bundle.mjs';

const dist = join(root, 'dist');
const built = process.argv[2];
const read = (folder, name) => {
  const bytes = readFileSync(join(folder, name));
  if (name.endsWith('.gz')) return gunzipSync(bytes);
  if (name.endsWith('.br')) return brotliDecompressSync(bytes);
  return bytes;
};
const names = readdirSync(built);
const stale = names.filter((name) => !readdirSync(dist).includes(name) || !read(dist, name).equals(read(built, name)));
const extra = readdirSync(dist).filter((name) => !names.includes(name));
for (const name of [...stale, ...extra]) console.error(`dist/${name} is not what src builds: npm run build`);
if (stale.length || extra.length) process.exitCode = 1;
else console.log('dist is what src builds');
