// Runs `identity dev` on free ports: the program that IDENTITY_BIN names, or the one that cargo built.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../tools/folders.mjs';

const CANDIDATES = [process.env.IDENTITY_BIN, join(root, '../target/debug/identity'), join(root, '../target/release/identity')];
const START = 60_000;

export const SECRET_KEY = `sk_live_${'aB3dE6gH'.repeat(4)}`;
export const PUBLIC_KEY = `pk_live_${'aB3dE6gH'.repeat(4)}`;
export const PROJECT = 'demo';

const program = () => {
  const path = CANDIDATES.find((candidate) => candidate && existsSync(candidate));
  if (!path) throw new Error('There is no identity here: cargo build, or set IDENTITY_BIN to its path');
  return path;
};

/** Starts it, and answers its addresses once it is ready, with its demo data unless it `isEmpty`. */
export const startIdentity = async ({ isEmpty }) => {
  const options = ['--port', '0', '--dynamodb-port', '0', '--rate-limit', '1000000'];
  options.push('--secret-key', SECRET_KEY, '--public-key', PUBLIC_KEY, '--project', PROJECT, ...(isEmpty ? ['--empty'] : []));
  const child = spawn(program(), ['dev', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill());
  const ready = isEmpty ? 'Running.' : 'The demo data is ready.';
  let printed = '';
  await new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new Error(`identity dev did not get ready:\n${log}`)), START);
    child.once('exit', (code) => reject(new Error(`identity dev ended with ${code}:\n${log}`)));
    child.stdout.on('data', (bytes) => (printed += bytes));
    child.stderr.on('data', (bytes) => {
      log += bytes;
      if (!log.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    });
  });
  const line = (name) => printed.match(new RegExp(`^${name}\\s+(\\S+)`, 'm'))[1];
  const dynamodb = line('DynamoDB');
  return {
    base: line('Base URL'),
    /** The link that it prints at its start. */
    link: line('Dashboard'),
    /** Runs another command on its data, and answers what that prints. */
    run: async (...args) => (await promisify(execFile)(program(), [...args, '--endpoint-url', dynamodb])).stdout,
    /** Gives lines to `identity import`. */
    importLines: async (lines) => {
      const importer = spawn(program(), ['import', '-', '--project', PROJECT, '--endpoint-url', dynamodb], { stdio: ['pipe', 'ignore', 'inherit'] });
      importer.stdin.end(`${lines.join('\n')}\n`);
      const code = await new Promise((resolve) => importer.once('exit', resolve));
      if (code) throw new Error(`identity import ended with ${code}`);
    },
    stop: () => child.kill(),
  };
};
