// Runs the unit tests, or those that are named (node tools/test.mjs collector): bundles each, as Node reads no TypeScript, and hands them to its test runner.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './bundle.mjs';

const wanted = process.argv.slice(2);
const folder = join(root, 'tests/unit');
const names = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && (!wanted.length || wanted.includes(name.replace('.test.ts', ''))));
const out = mkdtempSync(join(tmpdir(), 'tracker-tests-'));
try {
  await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => join(folder, name)),
    bundle: true,
    platform: 'node',
    format: 'esm',
    outdir: out,
    outExtension: { '.js': '.mjs' },
    define: { VERSION: '"test"' },
  });
  const files = names.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
  process.exitCode = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
