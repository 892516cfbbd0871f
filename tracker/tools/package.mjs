// Builds the npm package's modules and types into package/.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

const out = join(root, 'package');
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
for (const name of ['index', 'lite']) writeFileSync(join(out, `${name}.js`), await bundle(`${name}.ts`, 'esm'));
writeFileSync(join(out, 'auto.js'), await bundle('script-whole.ts', 'esm'));
const options = ['--declaration', '--emitDeclarationOnly', '--stripInternal', '--outDir', out, '--rootDir', join(root, 'src')];
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', root, ...options], { stdio: 'inherit' });
