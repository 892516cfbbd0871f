// Stands in for what the server does for the dashboard, until it does: serves the built files with the headers that they are served
// with, asks the API in the name of who is signed in, keeps people, keys and projects in memory, and answers `/audience` from the
// lists of sessions and visitors. To be deleted with IDENTITY_SERVES_DASHBOARD in target.mjs.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { root } from '../../tools/folders.mjs';
import { PROJECT, SECRET_KEY } from './identity.mjs';

const dist = join(root, 'dist');
const MINUTES_OF_LINK = 15;

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
};

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const hash = (text) => createHash('sha256').update(text).digest('hex');
const token = (length = 32) =>
  randomBytes(64)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, length);

export const startStandIn = async (identity, { isEmpty = false } = {}) => {
  const files = new Map(
    JSON.parse(readFileSync(join(dist, 'files.json'), 'utf8')).map(({ path, file, type }) => {
      const bytes = readFileSync(join(dist, file));
      return [path, { type, bytes, br: readFileSync(join(dist, `${file}.br`)), gzip: readFileSync(join(dist, `${file}.gz`)), etag: `"${hash(bytes).slice(0, 32)}"` }];
    }),
  );
  const people = new Map();
  const cookies = new Map();
  const invitations = new Map();
  const now = Date.now();
  const projects = new Map([
    [PROJECT, { id: PROJECT, name: 'Demo', hosts: [], origins: [], created_at: now - 30 * 86_400_000 }],
    ['shop', { id: 'shop', name: 'Web shop', hosts: ['shop.example'], origins: ['https://shop.example'], created_at: now - 86_400_000 }],
  ]);
  const keys = new Map();
  const addKey = ({ project, kind, label, rate_limit = 60 }, age = 0) => {
    const key = `${kind === 'secret' ? 'sk' : 'pk'}_live_${token()}`;
    const row = {
      id: token(12),
      kind,
      label: label || null,
      rate_limit,
      created_at: Date.now() - age,
      last_used_at: age ? Date.now() - 60_000 : null,
      hint: key.slice(0, 12),
      project,
    };
    keys.set(row.id, { row, hash: hash(key) });
    return { ...shown(row), key };
  };
  const shown = ({ project, ...row }) => row;
  if (!isEmpty) {
    addKey({ project: PROJECT, kind: 'secret', label: 'reports' }, 9 * 86_400_000);
    addKey({ project: PROJECT, kind: 'public', label: 'website' }, 9 * 86_400_000);
  }

  const invite = ({ label, role = 'viewer', projects = null, age = 0 }, origin) => {
    const secret = token(43);
    invitations.set(hash(secret), { label, role, projects, expires: Date.now() + MINUTES_OF_LINK * 60_000 - age });
    return `${origin}/#/sign-in/${secret}`;
  };

  const personOf = (request) => {
    const cookie = request.headers.cookie?.match(/(?:^|; )identity=([^;]+)/)?.[1];
    const person = cookie && people.get(cookies.get(hash(cookie)));
    if (!person) throw new Refusal(401, 'unauthorized', 'Sign in first.');
    person.last_seen_at = Date.now();
    return person;
  };
  const maySee = (person, project) => projects.has(project) && (!person.projects || person.projects.includes(project));
  const project = (person, id) => {
    if (!maySee(person, id)) throw new Refusal(404, 'not_found', 'No such project.');
    return id;
  };
  const admin = (request) => {
    const person = personOf(request);
    if (person.role !== 'admin') throw new Refusal(403, 'forbidden', 'This takes an admin.');
    return person;
  };
  const checkOrigin = (request) => {
    const isOwn = request.headers['sec-fetch-site'] === 'same-origin' || request.headers.origin === `http://${request.headers.host}`;
    if (!isOwn || !request.headers['content-type']?.startsWith('application/json')) throw new Refusal(403, 'forbidden', 'Only this page may do that.');
  };
  const me = ({ id, label, role, projects }) => ({ id, label, role, projects });

  const MANAGE = [
    [
      'POST',
      /^sign-in$/,
      (_, __, { token: secret }, response) => {
        const invitation = invitations.get(hash(String(secret)));
        invitations.delete(hash(String(secret)));
        if (!invitation || invitation.expires < Date.now()) throw new Refusal(401, 'unauthorized', 'This link is wrong, used or too old.');
        const { label, role, projects } = invitation;
        const person = { id: token(12), label, role, projects, last_seen_at: Date.now() };
        const cookie = randomBytes(32).toString('base64url');
        people.set(person.id, person);
        cookies.set(hash(cookie), person.id);
        response.setHeader('Set-Cookie', `identity=${cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000`);
        return [200, me(person)];
      },
    ],
    [
      'POST',
      /^sign-out$/,
      (request) => {
        people.delete(personOf(request).id);
        return [204];
      },
    ],
    ['GET', /^me$/, (request) => [200, me(personOf(request))]],
    [
      'GET',
      /^keys$/,
      (request, { query }) => {
        const wanted = project(admin(request), query.get('project'));
        return [200, [...keys.values()].filter(({ row }) => row.project === wanted).map(({ row }) => shown(row))];
      },
    ],
    [
      'POST',
      /^keys$/,
      (request, _, body) => {
        project(admin(request), body.project);
        if (!['secret', 'public'].includes(body.kind)) throw new Refusal(400, 'invalid_parameter', 'kind must be secret or public.');
        return [201, addKey(body)];
      },
    ],
    [
      'POST',
      /^keys\/([^/]+)\/rotate$/,
      (request, { parts }) => {
        admin(request);
        const old = keys.get(parts[0]);
        if (!old) throw new Refusal(404, 'not_found', 'No such key.');
        keys.delete(parts[0]);
        return [201, addKey(old.row)];
      },
    ],
    [
      'DELETE',
      /^keys\/([^/]+)$/,
      (request, { parts }) => {
        admin(request);
        if (!keys.delete(parts[0])) throw new Refusal(404, 'not_found', 'No such key.');
        return [204];
      },
    ],
    [
      'GET',
      /^projects$/,
      (request) => {
        const person = admin(request);
        return [200, [...projects.values()].filter(({ id }) => maySee(person, id))];
      },
    ],
    [
      'POST',
      /^projects$/,
      (request, _, { id, name, hosts = [], origins = [] }) => {
        admin(request);
        if (!/^[A-Za-z0-9_-]+$/.test(id ?? '')) throw new Refusal(400, 'invalid_parameter', 'id must be letters, digits, - and _.');
        if (projects.has(id)) throw new Refusal(400, 'invalid_parameter', 'There is such a project already.');
        projects.set(id, { id, name: name || id, hosts, origins, created_at: Date.now() });
        return [201, projects.get(id)];
      },
    ],
    [
      'PATCH',
      /^projects\/([^/]+)$/,
      (request, { parts }, { name, hosts, origins }) => {
        const id = project(admin(request), parts[0]);
        Object.assign(projects.get(id), { name, hosts, origins });
        return [200, projects.get(id)];
      },
    ],
    [
      'GET',
      /^people$/,
      (request) => {
        admin(request);
        return [200, [...people.values()]];
      },
    ],
    [
      'POST',
      /^people$/,
      (request, _, { label, role, projects }) => {
        admin(request);
        return [201, { label, role, projects, link: invite({ label, role, projects }, `http://${request.headers.host}`) }];
      },
    ],
    [
      'DELETE',
      /^people\/([^/]+)$/,
      (request, { parts }) => {
        admin(request);
        if (!people.delete(parts[0])) throw new Refusal(404, 'not_found', 'Nobody by that name.');
        return [204];
      },
    ],
  ];

  const manage = async (request, response, url) => {
    const path = url.pathname.slice('/manage/v1/'.length);
    const [, pattern, answer] = MANAGE.find(([method, pattern]) => method === request.method && pattern.test(path)) ?? [];
    if (!answer) throw new Refusal(404, 'not_found', 'No such endpoint.');
    let body = {};
    if (request.method !== 'GET') {
      checkOrigin(request);
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    }
    const parts = path.match(pattern).slice(1).map(decodeURIComponent);
    const [status, data] = answer(request, { parts, query: url.searchParams }, body, response);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(data === undefined ? undefined : JSON.stringify({ data }));
  };

  const ask = async (path) => {
    const response = await fetch(`${identity.base}${path}`, { headers: { Authorization: `Bearer ${SECRET_KEY}` } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  const api = async (request, response, url) => {
    if (!['same-origin', undefined].includes(request.headers['sec-fetch-site'])) throw new Refusal(401, 'unauthorized', 'Only from this page.');
    const person = personOf(request);
    const wanted = request.headers['identity-project'];
    if (!wanted) throw new Refusal(400, 'invalid_parameter', 'The header Identity-Project names the project.');
    project(person, wanted);
    // Only one project has data here; the others are answered as of a day before it.
    if (wanted !== PROJECT || isEmpty) {
      for (const name of ['start_date', 'end_date']) if (url.searchParams.has(name)) url.searchParams.set(name, '2001-01-01');
    }
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Cache-Control', 'no-store');
    if (url.pathname === '/api/v1/live' && (wanted !== PROJECT || isEmpty)) return response.end('{"data":[],"count":0}');
    const { status, headers, text } = await ask(url.pathname + url.search);
    for (const name of ['ratelimit', 'ratelimit-policy', 'retry-after']) if (headers.has(name)) response.setHeader(name, headers.get(name));
    response.writeHead(status).end(text);
  };

  const file = (request, response, url) => {
    const found = files.get(url.pathname);
    if (!found) throw new Refusal(404, 'not_found', 'No such page.');
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader('Cache-Control', url.pathname === '/' ? 'no-cache' : 'public, max-age=31536000, immutable');
    response.setHeader('ETag', found.etag);
    response.setHeader('Vary', 'Accept-Encoding');
    response.setHeader('Content-Type', found.type);
    if (request.headers['if-none-match'] === found.etag) return response.writeHead(304).end();
    const accepted = request.headers['accept-encoding'] ?? '';
    const encoding = ['br', 'gzip'].find((name) => accepted.includes(name));
    if (encoding) response.setHeader('Content-Encoding', encoding);
    response.end(encoding ? found[encoding] : found.bytes);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    try {
      if (url.pathname.startsWith('/manage/v1/')) await manage(request, response, url);
      else if (url.pathname.startsWith('/api/v1/')) await api(request, response, url);
      else file(request, response, url);
    } catch (error) {
      const { status = 500, code = 'internal_error', message } = error;
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { status, code, message } }));
    }
  });
  await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    link: async (options) => invite(options, origin),
    /** Whether a key that the page showed is one that works. */
    hasKey: async (key) => [...keys.values()].some((known) => known.hash === hash(key)),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
