// Builds the scripts and the package: node tools/build.mjs [FOLDER]. The same bytes each time and everywhere.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = resolve(process.argv[2] ?? join(root, 'dist'));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export const gzip = (bytes) => {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // No time,
  packed[9] = 255; // and no system.
  return packed;
};

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

const bundle = async (entry, format) => {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src', entry)],
    bundle: true,
    format,
    target: 'es2020',
    charset: 'utf8',
    define: { VERSION: JSON.stringify(version) },
    write: false,
  });
  const { code } = await minify(outputFiles[0].text, {
    module: format === 'esm',
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true, pure_getters: true },
    mangle: { properties: { regex: /_$/ } },
    format: { ascii_only: true, comments: false },
  });
  return Buffer.from(`${code}\n`);
};

mkdirSync(out, { recursive: true });
for (const name of ['identity', 'identity-lite']) {
  const bytes = await bundle(name === 'identity' ? 'script.ts' : 'script-lite.ts', 'iife');
  writeFileSync(join(out, `${name}.js`), bytes);
  writeFileSync(join(out, `${name}.js.gz`), gzip(bytes));
  writeFileSync(join(out, `${name}.js.br`), brotli(bytes));
  const integrity = createHash('sha384').update(bytes).digest('base64');
  writeFileSync(join(out, `${name}.js.sha384`), `sha384-${integrity}\n`);
}
writeFileSync(join(out, 'version.txt'), `${version}\n`);
