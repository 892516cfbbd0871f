import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setHere } from '../../src/address';
import { pack } from '../../src/batch';
import { emit as queue } from '../../src/events';
import { forget } from '../../src/identity';
import { toJson } from '../../src/json';
import { clear, setHook } from '../../src/queue';
import { settle } from '../../src/settings';
import { storeIn } from '../../src/storage';
import { install, settings } from './page';

const emit = (name: string, data?: Record<string, unknown>, created_at = Date.now()) => queue({ name, created_at, data });

beforeEach(() => {
  install();
  settle((name) => settings[name]);
  storeIn('none');
  forget();
  clear();
  setHere('/');
  setHook((event) => event);
});

test('batches keep to the collector’s limits', () => {
  for (let n = 0; n < 450; n++) emit('event', { text: 'x'.repeat(n * 3) });
  const batches = pack();
  assert.equal(batches.reduce((sum, { events }) => sum + events.length, 0), 450);
  for (const batch of batches) {
    assert.ok(batch.events.length <= 100);
    assert.ok(Buffer.byteLength(toJson(batch)) < 20_000);
    assert.match(batch.batch_id, /^b_[\w-]{16}$/);
  }
  assert.equal(new Set(batches.map(({ batch_id }) => batch_id)).size, batches.length);
});

test('an event that the collector would refuse does not take its batch along', () => {
  emit('good', { a: 1 });
  emit('Bad name', {});
  emit('huge', Object.fromEntries(Array.from({ length: 50 }, (_, n) => [n, 'ä'.repeat(500)])));
  emit('late', {}, NaN);
  emit('', {});
  emit('list', [1, 2] as any);
  const names = pack().flatMap(({ events }) => events.map(({ name }) => name));
  assert.deepEqual(names, ['good', 'list']);
});

test('a hook changes events and drops them, and one that throws drops them too', () => {
  setHook((event) => {
    if (event.name === 'a') return null;
    if (event.name === 'b') throw new Error('hook');
    if (event.name === 'c') return { ...event, data: { changed: true } };
    if (event.name === 'd') return { ...event, name: 'Not a name' };
    return event;
  });
  for (const name of ['a', 'b', 'c', 'd', 'e']) emit(name, {});
  const events = pack().flatMap(({ events }) => events);
  assert.deepEqual(events.map(({ name, data }) => [name, data]), [['c', { changed: true }], ['e', undefined]]);
});

test('events that a hook provokes are not lost', () => {
  setHook((event) => {
    if (event.name === 'first') emit('second');
    return event;
  });
  emit('first');
  assert.deepEqual(pack().flatMap(({ events }) => events.map(({ name }) => name)), ['first']);
  assert.deepEqual(pack().flatMap(({ events }) => events.map(({ name }) => name)), ['second']);
});
