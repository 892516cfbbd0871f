// Runs `identity dev` with its demo data on free ports: the program that IDENTITY_BIN names, or the one that cargo built.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/folders.mjs';

const CANDIDATES = [process.env.IDENTITY_BIN, join(root, '../target/debug/identity'), join(root, '../target/release/identity')];
const START = 60_000;

export const SECRET_KEY = `sk_live_${'aB3dE6gH'.repeat(4)}`;
export const PUBLIC_KEY = `pk_live_${'aB3dE6gH'.repeat(4)}`;
export const PROJECT = 'demo';

export const program = () => {
  const path = CANDIDATES.find((candidate) => candidate && existsSync(candidate));
  if (!path) throw new Error('There is no identity here: cargo build, or set IDENTITY_BIN to its path');
  return path;
};

/** Starts it, and answers its addresses once its demo data is there. */
export const startIdentity = async () => {
  const options = ['dev', '--port', '0', '--dynamodb-port', '0', '--rate-limit', '1000000', '--secret-key', SECRET_KEY, '--public-key', PUBLIC_KEY, '--project', PROJECT];
  const child = spawn(program(), options, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  await new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new Error(`identity dev did not get ready:\n${log}`)), START);
    child.once('exit', (code) => reject(new Error(`identity dev ended with ${code}:\n${log}`)));
    child.stdout.on('data', (bytes) => (printed += bytes));
    child.stderr.on('data', (bytes) => {
      log += bytes;
      if (!log.includes('The demo data is ready.')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  const line = (name) => printed.match(new RegExp(`^${name}\\s+(\\S+)`, 'm'))[1];
  return { base: line('Base URL'), dynamodb: line('DynamoDB'), stop: () => child.kill() };
};
