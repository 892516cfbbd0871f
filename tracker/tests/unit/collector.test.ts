// The collector's limits, held against the collector: what the tracker lets through at a limit is taken, and what lies beyond it
// would have been refused. Needs IDENTITY_BIN or IDENTITY_BASE_URL, as scripts/tracker-scenarios does.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Batch, bodyOf, pack } from '../../src/batch';
import { track } from '../../src/custom';
import { emit } from '../../src/events';
import { addAlias, forget, visitorFacts } from '../../src/identity';
import { clear, setHook } from '../../src/queue';
import { setHere } from '../../src/address';
import { settle } from '../../src/settings';
import { storeIn } from '../../src/storage';
// @ts-expect-error It is no TypeScript.
import { startTarget } from '../browser/target.mjs';
import { goTo, install, settings } from './page';

const skip = !process.env.IDENTITY_BIN && !process.env.IDENTITY_BASE_URL;
let target: any;
before(async () => {
  if (!skip) target = await startTarget();
});
after(() => target?.stop());

beforeEach(() => {
  install();
  settle((name) => (name === 'key' ? (process.env.IDENTITY_PUBLIC_KEY ?? settings.key) : settings[name]));
  storeIn('none');
  forget();
  clear();
  setHook((event) => event);
  setHere('/');
});

const post = async (body: string): Promise<[number, string]> => {
  const response = await fetch(`${target.base}/collect`, { method: 'POST', body, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  return [response.status, await response.text()];
};

/** Sends all that waits; the names of the events, all of which were taken. */
const sent = async (): Promise<string[]> => {
  const batches = pack();
  for (const batch of batches) {
    const [status, answer] = await post(bodyOf(batch));
    assert.equal(status, 202, answer);
    assert.equal(JSON.parse(answer).data.accepted, batch.events.length);
  }
  return batches.flatMap(({ events }) => events.map(({ name }) => name));
};

/** A batch is refused once this is done to it, and was not before. */
const refusedWith = async (field: RegExp, spoil: (batch: any) => void): Promise<void> => {
  emit({ name: 'event', created_at: Date.now(), data: { a: 1 } });
  const [batch] = pack() as [Batch];
  assert.equal((await post(bodyOf(batch)))[0], 202);
  const other = structuredClone(batch);
  spoil(other);
  const [status, answer] = await post(bodyOf(other));
  assert.equal(status, 400, answer);
  assert.match(answer, field);
};

const emojis = (count: number): string => '\u{1f600}'.repeat(count);

test('names', { skip }, async () => {
  for (const name of ['A', 'signedUp', 'x'.repeat(64), 'x'.repeat(65), `${'ab '.repeat(40)}`, 'HTML5 Video 2', 'ünïcode', '***']) track(name);
  assert.deepEqual((await sent()).map(({ length }) => length), [1, 9, 64, 64, 64, 13, 6]);
  await refusedWith(/events\[0\]\.name/, ({ events }) => (events[0].name = 'x'.repeat(65)));
});

test('data', { skip }, async () => {
  /** Data of so many bytes of JSON. */
  const of = (bytes: number, sign = 'x') => {
    const data: Record<string, string> = {};
    const size = () => Buffer.byteLength(JSON.stringify(data));
    for (let n = 0; size() + 920 < bytes; n++) data[`k${n}`] = sign.repeat(Math.floor(900 / Buffer.byteLength(JSON.stringify(sign).slice(1, -1))));
    data.rest = '';
    data.rest = 'x'.repeat(Math.max(0, bytes - size()));
    return data;
  };
  for (const bytes of [7000, 7999, 8000]) for (const sign of ['x', 'ä', '\u{1f600}', '"', '\u0001', '\ud800', '\\']) track(`size_${bytes}`, of(bytes, sign));
  track('over', of(8001));
  track('deep', JSON.parse('{"a":'.repeat(60) + '1' + '}'.repeat(60)));
  track('strange', { a: NaN, b: Infinity, c: -0, d: 1e308, e: 2n ** 70n, f: () => 1, g: Symbol('s'), h: undefined, i: new Date(NaN), j: [undefined, null] });
  track('list', [1, [2, [3]]]);
  track('text', 'no object');
  const names = await sent();
  // A lone surrogate is three bytes as it is sent and six as JavaScript writes it, so those have room to spare.
  assert.equal(names.filter((name) => name.startsWith('size')).length, 21);
  assert.deepEqual(names.filter((name) => !name.startsWith('size')), ['deep', 'strange', 'list', 'text']);
  await refusedWith(/events\[0\]\.data/, ({ events }) => (events[0].data = of(8193)));
  await refusedWith(/events\[0\]\.data/, ({ events }) => (events[0].data = [1]));
});

test('addresses', { skip }, async () => {
  for (const path of ['/a'.repeat(3000), `/${'ä'.repeat(3000)}`, `/${encodeURIComponent(emojis(3000))}`, '/%ff%fe', '/*?q=1#x']) {
    forget();
    goTo(`https://site.example${path}`);
    Object.assign(document, { referrer: `https://${'sub.'.repeat(50)}example${path}` });
    setHook((event) => ({ ...event, url: `/${emojis(1024)}` }));
    track('event');
    await sent();
  }
  await refusedWith(/session\.url/, ({ session }) => (session.url = 'x'.repeat(2049)));
  await refusedWith(/events\[0\]\.url/, ({ events }) => (events[0].url = 'x'.repeat(2049)));
  await refusedWith(/session\.referrer/, ({ session }) => (session.referrer = 'x'.repeat(2049)));
});

test('campaigns', { skip }, async () => {
  goTo(`https://site.example/?utm_source=${'x'.repeat(600)}&utm_medium=${encodeURIComponent(emojis(600))}&utm_term=%ff&utm_content=`);
  forget();
  track('event');
  await sent();
  await refusedWith(/session\.utm_source/, ({ session }) => (session.utm_source = 'x'.repeat(513)));
});

test('names of a visitor, and what its browser says of itself', { skip }, async () => {
  for (let n = 0; n < 30; n++) addAlias(`${n}${'x'.repeat(250)}`);
  assert.equal(visitorFacts().aliases!.length, 20);
  Object.assign(screen, { width: 1280.4, height: 719.5 });
  Object.assign(navigator, { language: '' });
  track('event');
  await sent();
  await refusedWith(/visitor\.aliases/, ({ visitor }) => (visitor.aliases = Array.from({ length: 21 }, String)));
  await refusedWith(/visitor\.aliases/, ({ visitor }) => (visitor.aliases = ['x'.repeat(257)]));
  await refusedWith(/visitor\.screen_width/, ({ visitor }) => (visitor.screen_width = -1));
});

test('instants that a hook has changed do not cost the other events', { skip }, async () => {
  for (const [name, created_at] of Object.entries({ seconds: Date.now() / 1000, never: NaN, text: 'now', before: -1, ahead: Date.now() + 400_000, old: Date.now() - 8 * 86_400_000, fine: Date.now() - 1000.5 }))
    emit({ name, created_at: created_at as number });
  assert.deepEqual(await sent(), ['fine']);
  await refusedWith(/events\[0\]\.created_at/, ({ events }) => (events[0].created_at += 400_000));
});

test('events of a batch', { skip }, async () => {
  for (let n = 0; n < 250; n++) emit({ name: 'event', created_at: Date.now(), data: { n } });
  for (let n = 0; n < 40; n++) emit({ name: 'large', created_at: Date.now(), data: { a: 'ä'.repeat(1000), b: 'ä'.repeat(1000), c: 'ä'.repeat(1000) } });
  assert.equal((await sent()).length, 290);
  await refusedWith(/events/, (batch) => (batch.events = Array.from({ length: 101 }, () => batch.events[0])));
});
