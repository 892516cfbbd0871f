// Bundles and minifies the entries of src/.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The scripts, and what they are built from. */
export const SCRIPTS = { 'identity.js': 'script.ts', 'identity-more.js': 'script-more.ts', 'identity-lite.js': 'script-lite.ts' };

const options = { absWorkingDir: root, bundle: true, format: 'esm', target: 'es2021', charset: 'utf8', minifySyntax: true, write: false, metafile: true };

/**
 * Has Chromium compile all of a script while it comes, off the page's thread, instead of each function as it is first called. The
 * small one is small enough without.
 */
const EAGER = '//# allFunctionsCalledOnLoad';

export const integrityOf = (bytes, hash = 'sha384') => `${hash}-${createHash(hash).update(bytes).digest('base64')}`;

/** The one output of a build: its text, its exports, and the files that it is made of. */
const built = async (entry, more) => {
  const { outputFiles, metafile } = await build({ ...options, entryPoints: [join('src', entry)], ...more });
  const [{ exports, inputs }] = Object.values(metafile.outputs);
  return { text: outputFiles[0].text, exports, inputs: Object.keys(inputs) };
};

/** Hands what `kit.ts` exports from the first script to the second, by position: as a list in the one, and out of it in the other. */
const kitBetween = (names, isSecond) => ({
  name: 'kit',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^kit:values$/ }, () => ({ path: 'values', namespace: 'kit' }));
    onLoad({ filter: /./, namespace: 'kit' }, () => ({
      contents: `import { ${names} } from './kit'; export const kit = [${names}];`,
      resolveDir: join(root, 'src'),
    }));
    if (isSecond) onLoad({ filter: /src.kit\.ts$/ }, () => ({ contents: `export const [${names}] = document.currentScript.kit;` }));
  },
});

/** The files of a script, with the minified bytes that each has of it. */
export const minifiedInputs = async (entry) => {
  const { exports: names } = await built('kit.ts');
  const define = { VERSION: '""', MORE_INTEGRITY: JSON.stringify(integrityOf('', 'sha256')) };
  const { metafile } = await build({ ...options, entryPoints: [join('src', entry)], plugins: [kitBetween(names, entry === SCRIPTS['identity-more.js'])], define, minify: true });
  const [{ inputs }] = Object.values(metafile.outputs);
  return Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput]);
};

/** One entry of src/, bundled and minified: as a module, or as a script that leaves no name behind. */
export const bundle = async (entry, format) => {
  const { exports: names } = await built('kit.ts');
  const isSecond = entry === SCRIPTS['identity-more.js'];
  const define = { VERSION: JSON.stringify(version) };
  if (entry === SCRIPTS['identity.js']) define.MORE_INTEGRITY = JSON.stringify(integrityOf(await bundle(SCRIPTS['identity-more.js'], format), 'sha256'));
  const { text, inputs } = await built(entry, { plugins: [kitBetween(names, isSecond)], define });
  if (isSecond) {
    const first = await built(SCRIPTS['identity.js'], { plugins: [kitBetween(names)], define: { ...define, MORE_INTEGRITY: '""' } });
    const twice = inputs.filter((input) => first.inputs.includes(input) && !input.endsWith('/kit.ts'));
    if (twice.length) throw new Error(`In both scripts, each with a state of its own: ${twice}. The second takes it from src/kit.ts`);
  }
  const { code } = await minify(text, {
    module: format === 'esm',
    toplevel: true,
    ecma: 2021,
    compress: { passes: 2, unsafe_arrows: true, unsafe_methods: true, inline: 1, pure_getters: true, keep_fargs: false },
    // What is only used in here is named with one last underscore, and gets a short name.
    mangle: { properties: { regex: /[^_]_$/ } },
    format: { ascii_only: true, comments: false },
  });
  return Buffer.from(format === 'esm' ? `${code}\n` : `${entry === SCRIPTS['identity-lite.js'] ? '' : EAGER + '\n'}(()=>{${code.replace(/;$/, '')}})();\n`);
};

/** The same bytes at any time and on any system. */
export const gzip = (bytes) => {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // No time,
  packed[9] = 255; // and no system.
  return packed;
};
