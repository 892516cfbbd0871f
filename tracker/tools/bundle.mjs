// Bundles and minifies the entries of src/.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The scripts, and what they are built from. */
export const SCRIPTS = { 'identity.js': 'script.ts', 'identity-lite.js': 'script-lite.ts' };

/** One entry of src/, bundled and minified: as a module, or as a script that leaves no name behind. */
export const bundle = async (entry, format) => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join('src', entry)],
    bundle: true,
    format: 'esm',
    target: 'es2021',
    charset: 'utf8',
    define: { VERSION: JSON.stringify(version) },
    write: false,
  });
  const { code } = await minify(outputFiles[0].text, {
    module: format === 'esm',
    toplevel: true,
    ecma: 2021,
    compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, keep_fargs: false },
    // What is only used in here is named with one last underscore, and gets a short name.
    mangle: { properties: { regex: /[^_]_$/ } },
    format: { ascii_only: true, comments: false },
  });
  return Buffer.from(format === 'esm' ? `${code}\n` : `(()=>{${code.replace(/;$/, '')}})();\n`);
};

/** The same bytes at any time and on any system. */
export const gzip = (bytes) => {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // No time,
  packed[9] = 255; // and no system.
  return packed;
};
