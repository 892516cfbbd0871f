// The servers of a scenario: a site, and on another port a collector that records what it is sent, and passes it on to a
// running one if there is one.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const dist = join(dirname(fileURLToPath(import.meta.url)), '../../dist');

export const KEY = process.env.IDENTITY_PUBLIC_KEY ?? 'pk_live_00000000000000000000000000000000';

const listen = (handler) =>
  new Promise((resolve) => {
    const server = createServer(handler);
    server.listen(0, '127.0.0.1', () => resolve({ server, origin: `http://127.0.0.1:${server.address().port}` }));
  });

/** A page with the tracker in it. */
export const page = (body, { title = 'A page of the scenarios', head = '', attributes = '' } = {}) => (collector) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">${head}
<script async src="${collector}/identity.js" data-key="${KEY}" ${attributes}></script></head><body>${body}</body></html>`;

/** Starts a site of `pages`: texts, functions of the collector's origin, or request handlers. `isLite` gives them the small script. */
export const startSite = async (pages, { forward, isLite = false } = {}) => {
  const requests = [];
  const scripts = [];
  const state = { answer: undefined, more: undefined, isLite };
  const collector = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://collector');
    response.setHeader('access-control-allow-origin', '*');
    const [, script] = /^(?:\/v\/[^/]+)?\/(identity(?:-lite|-more)?\.js)$/.exec(pathname) ?? [];
    if (request.method === 'GET' && script) {
      scripts.push(pathname);
      response.setHeader('content-type', 'text/javascript; charset=utf-8');
      response.setHeader('timing-allow-origin', '*');
      const other = script === 'identity-more.js' && (await state.more?.());
      if (Number.isInteger(other)) response.statusCode = other;
      response.end(other ? String(other) : readFileSync(join(dist, script)));
      return;
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString();
      const record = { at: Date.now(), method: request.method, path: pathname, headers: request.headers, text, status: undefined };
      requests.push(record);
      if (request.method !== 'POST') {
        response.statusCode = 204;
        response.setHeader('access-control-allow-headers', 'content-type');
        return response.end();
      }
      record.batch = JSON.parse(text);
      const answer = await state.answer?.(record);
      if (answer === 'hang') return;
      if (answer === 'drop') return request.socket.destroy();
      if (answer) {
        record.status = answer;
        response.statusCode = answer;
        return response.end('{}');
      }
      if (forward) {
        const agent = request.headers['user-agent'];
        record.isForwarding = true;
        const reply = await fetch(`${forward}/collect`, { method: 'POST', body: text, headers: { 'content-type': request.headers['content-type'], 'user-agent': agent } });
        record.status = reply.status;
        record.reply = await reply.text();
        record.isForwarding = false;
        response.statusCode = reply.status;
        return response.end(record.reply);
      }
      record.status = 202;
      response.statusCode = 202;
      response.end(`{"data":{"accepted":${record.batch.events.length}}}`);
    });
  });
  const site = await listen((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    const found = pages[pathname];
    if (found === undefined) {
      response.statusCode = 404;
      return response.end();
    }
    if (typeof found === 'function' && found.length > 1) return found(request, response);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const text = typeof found === 'function' ? found(collector.origin) : found;
    response.end(state.isLite ? text.replace('/identity.js"', '/identity-lite.js"') : text);
  });
  const posts = () => requests.filter(({ method }) => method === 'POST');
  return {
    origin: site.origin,
    collector: collector.origin,
    state,
    requests,
    /** The scripts that were fetched. */
    scripts,
    posts,
    /** Batches that were taken, each once. */
    batches() {
      const seen = new Map();
      for (const { batch, status } of posts()) if (status === 202 && !seen.has(batch.batch_id)) seen.set(batch.batch_id, batch);
      return [...seen.values()];
    },
    /** Events that were taken, each once. */
    events(name) {
      return this.batches()
        .flatMap(({ events, session }) => events.map((event) => ({ ...event, session: session.session_id })))
        .filter((event) => !name || event.name === name);
    },
    async close() {
      for (const { server } of [site, collector]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
};
