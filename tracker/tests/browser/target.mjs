// A collector to pass batches on to, if one is wanted: a program (IDENTITY_BIN) or a running one (IDENTITY_BASE_URL).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const { IDENTITY_BIN, IDENTITY_BASE_URL, IDENTITY_PUBLIC_KEY, IDENTITY_SECRET_KEY } = process.env;

const start = async () => {
  if (IDENTITY_BASE_URL) return { base: IDENTITY_BASE_URL, secret: IDENTITY_SECRET_KEY, stop() {} };
  if (!IDENTITY_BIN) return undefined;
  const secret = `sk_live_${'0'.repeat(32)}`;
  const publicKey = IDENTITY_PUBLIC_KEY ?? `pk_live_${'0'.repeat(32)}`;
  const child = spawn(IDENTITY_BIN, ['dev', '--empty', '--port', '0', '--dynamodb-port', '0', '--public-key', publicKey, '--secret-key', secret, '--rate-limit', '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const base = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`identity dev ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^Base URL\s+(\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return { base, secret, stop: () => child.kill() };
};

export const startTarget = async () => {
  const target = await start();
  if (!target) return undefined;
  /** Asks the API; the data, or undefined where nothing is found. */
  const find = async (path) => {
    const response = await fetch(`${target.base}/api/v1${path}`, { headers: { authorization: `Bearer ${target.secret}` } });
    return response.status === 200 ? (await response.json()).data : undefined;
  };
  const ask = async (path) => {
    const data = await find(path);
    assert.ok(data, path);
    return data;
  };
  return { ...target, find, ask };
};
