// Bundles and minifies the entries of src/.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { loosen, read, write } from './program.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The scripts, and what they are built from. */
export const SCRIPTS = { 'identity.js': 'script.ts', 'identity-lite.js': 'script-lite.ts' };

export const digest = (code) => createHash('sha256').update(code).digest('hex').slice(0, 16);

/** One entry of src/, bundled and minified, with the names that its own properties got. */
export const minified = async (entry, format) => {
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
  // One word for what is declared packs better than two. The sources have neither word in a text.
  const text = outputFiles[0].text.replace(/\bconst\b/g, 'let');
  const nameCache = {};
  const { code } = await minify(text, {
    nameCache,
    module: format === 'esm',
    toplevel: true,
    ecma: 2021,
    compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, keep_fargs: false },
    // What is only used in here is named with one last underscore, and gets a short name.
    mangle: { properties: { regex: /[^_]_$/ } },
    format: { ascii_only: true, comments: false },
  });
  return {
    code: format === 'esm' ? `${code}\n` : `(()=>{${code.replace(/;$/, '')}})();\n`,
    properties: Object.values(nameCache.props?.props ?? {}),
  };
};

export const arrangement = join(root, 'tools/arrangement.json');

/** A script as it was arranged, or ready to be. */
export const programOf = (name, built) => {
  const program = read(built);
  loosen(program);
  program.pieces.forEach((piece, index) => (piece.index = index));
  const { of, order, names } = JSON.parse(readFileSync(arrangement, 'utf8'))[name];
  const isArranged = of === digest(built.code);
  if (isArranged) {
    names.split(' ').forEach((short, index) => (program.variables[index].name = short));
    program.pieces = order.split(' ').map((index) => program.pieces[index]);
  }
  return { program, isArranged };
};

/** A script with its functions in the order and its variables under the names that pack best, if those were looked for. */
export const script = async (name) => {
  const built = await minified(SCRIPTS[name], 'iife');
  const { program, isArranged } = programOf(name, built);
  if (isArranged) return Buffer.from(write(program));
  console.error(`${name} was changed and is not arranged: npm run arrange makes it smaller`);
  return Buffer.from(built.code);
};

/** The same bytes at any time and on any system. */
export const gzip = (bytes) => {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // No time,
  packed[9] = 255; // and no system.
  return packed;
};
