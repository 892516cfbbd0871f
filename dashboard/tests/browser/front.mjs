// Serves the files of dist/ as the server would that they are built into, and hands all else to the server that runs: a change of
// the page is tried without building that anew.

import { readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { join } from 'node:path';
import { root } from '../../tools/folders.mjs';

const dist = join(root, 'dist');

export const startFront = async (base) => {
  const files = new Map(
    JSON.parse(readFileSync(join(dist, 'files.json'), 'utf8')).map(({ path, file, type }) => [
      path,
      { type, bytes: readFileSync(join(dist, file)), br: readFileSync(join(dist, `${file}.br`)) },
    ]),
  );
  const headers = Object.fromEntries((await fetch(`${base}/`, { headers: { 'Accept-Encoding': 'identity' } })).headers);
  for (const name of ['etag', 'date', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']) delete headers[name];

  // The host stays the one that the browser knows, as the server compares the origin with it.
  const pass = (request, response) => {
    const passed = ask(new URL(request.url, base), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, base);
    const file = files.get(pathname);
    if (file) {
      const isPacked = request.headers['accept-encoding']?.includes('br');
      const cache = pathname === '/' ? headers['cache-control'] : 'public, max-age=31536000, immutable';
      response.writeHead(200, { ...headers, 'cache-control': cache, 'content-type': file.type, ...(isPacked ? { 'content-encoding': 'br' } : {}) });
      response.end(isPacked ? file.br : file.bytes);
    } else pass(request, response);
  });
  await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
