// Builds the page as it is served: node tools/build.mjs [FOLDER]. The same bytes each time and everywhere.
//
// files.json lists what there is to serve, with each file's path and type. A file has its packed forms beside it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './folders.mjs';

const out = resolve(process.argv[2] ?? join(root, 'dist'));

const TYPES = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

/** The same bytes at any time and on any system. */
const gzip = (bytes) => {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // No time,
  packed[9] = 255; // and no system.
  return packed;
};

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: { app: 'src/main.tsx', style: 'src/styles/index.css', icon: 'src/icon.svg' },
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.svg': 'copy' },
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  outdir: out,
  metafile: true,
  write: false,
});

const outputs = Object.fromEntries(Object.entries(metafile.outputs).map(([path, output]) => [path.slice(path.indexOf('assets/')), output]));
const withEntry = (entry) => Object.keys(outputs).find((path) => outputs[path].entryPoint === entry);
const named = (name) => Object.keys(outputs).find((path) => path.startsWith(`assets/${name}-`));

/** A script with all that it imports, itself first. */
const closure = (path, seen = new Set()) => {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const { path: imported, kind } of outputs[path].imports) {
    if (kind === 'import-statement') closure(imported.slice(imported.indexOf('assets/')), seen);
  }
  return seen;
};

const app = withEntry('src/main.tsx');
const first = [...closure(app)];
const html = readFileSync(join(root, 'src/index.html'), 'utf8')
  .replace('{style}', `/${named('style')}`)
  .replace('{icon}', `/${named('icon')}`)
  .replace('{app}', `/${app}`)
  .replace(
    '{preloads}',
    first
      .filter((path) => path !== app)
      .map((path) => `<link rel="modulepreload" href="/${path}">`)
      .join('\n'),
  );

const files = [{ path: '/', file: 'index.html', type: 'text/html; charset=utf-8', bytes: Buffer.from(html) }];
for (const { path, contents } of outputFiles) {
  const file = path.slice(path.indexOf('assets/', out.length));
  files.push({ path: `/${file}`, file, type: TYPES[file.slice(file.lastIndexOf('.'))], bytes: Buffer.from(contents) });
}
files.sort((a, b) => (a.path < b.path ? -1 : 1));

rmSync(out, { recursive: true, force: true });
for (const { file, bytes } of files) {
  const target = join(out, file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
  writeFileSync(`${target}.br`, brotli(bytes));
  writeFileSync(`${target}.gz`, gzip(bytes));
}
writeFileSync(
  join(out, 'files.json'),
  `${JSON.stringify(
    files.map(({ path, file, type }) => ({ path, file, type })),
    null,
    2,
  )}\n`,
);

/** What each page makes a browser fetch that has the Overview: for tools/sizes.mjs. */
const pages = {};
for (const [path, { entryPoint }] of Object.entries(outputs)) {
  const page = entryPoint?.match(/^src\/pages\/(.*)\.tsx$/)?.[1];
  if (page) pages[page] = [...closure(path)].filter((file) => !first.includes(file)).sort();
}
writeFileSync(
  join(out, 'pages.json'),
  `${JSON.stringify({ first: ['index.html', named('style'), named('icon'), ...first].sort(), pages: Object.fromEntries(Object.entries(pages).sort()) }, null, 2)}\n`,
);
