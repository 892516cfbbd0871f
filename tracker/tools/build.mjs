// Builds the scripts as they are served: node tools/build.mjs [FOLDER]. The same bytes each time and everywhere.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { SCRIPTS, bundle, gzip, integrityOf, root, version } from './bundle.mjs';

const out = resolve(process.argv[2] ?? join(root, 'dist'));

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

mkdirSync(out, { recursive: true });
for (const [name, entry] of Object.entries(SCRIPTS)) {
  const bytes = await bundle(entry, 'iife');
  writeFileSync(join(out, name), bytes);
  writeFileSync(join(out, `${name}.gz`), gzip(bytes));
  writeFileSync(join(out, `${name}.br`), brotli(bytes));
  writeFileSync(join(out, `${name}.sha384`), `${integrityOf(bytes)}\n`);
}
writeFileSync(join(out, 'version.txt'), `${version}\n`);
