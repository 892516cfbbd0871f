import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { unanswered } from '../../src/detectors/clicks';
import { describe } from '../../src/detectors/errors';
import { format } from '../../src/detectors/logs';
import { messageOf, placeOf, sourceOf, stackOf } from '../../src/detectors/stack';
import { hash128, hash32, randomId } from '../../src/random';
import { install } from './page';

before(() => install());

test('each burst of answers belongs to the earliest click that waits', () => {
  assert.equal(unanswered([0, 200, 400, 600], []), 4);
  assert.equal(unanswered([0, 200, 400, 600], [5, 205, 405, 605]), 0);
  assert.equal(unanswered([0, 200, 400, 600], [400, 600, 800, 1000]), 0, 'answers that are late');
  assert.equal(unanswered([0, 200, 400, 600, 800], [810]), 4, 'one spinner for five clicks');
  assert.equal(unanswered([0, 200, 400], [5, 6, 7, 8, 9, 10]), 2, 'one burst');
});

test('console texts are filled in without the content of objects', () => {
  class Order {}
  assert.equal(format(['%s has %d of %o', 'a', 5, { secret: 1 }]), 'a has 5 of [Object]');
  assert.equal(format(['%cstyled', 'color:red', new Order()]), 'styled [Order]');
  assert.equal(format([new TypeError('bad'), null, undefined, true]), 'TypeError: bad null undefined true');
  assert.equal(format(['100%']), '100%');
});

test('whatever is thrown has a description', () => {
  assert.equal(describe(undefined), 'Rejected without reason');
  assert.equal(describe({ b: 1, a: 2 }), 'Rejected with {a, b}');
  assert.equal(describe({ message: 'm', name: 'N' }), 'N: m');
  assert.equal(describe('text'), 'text');
  assert.equal(describe(new Proxy({}, { get: () => { throw new Error('no'); } })), '');
});

test('messages and stacks are the same wherever the build is served from', () => {
  assert.equal(messageOf('Failed to load https://a.example/x.js?token=1 after 12345 ms'), 'Failed to load https://a.example/x.js after * ms');
  assert.equal(sourceOf('https://site.example/app.js?v=1'), '/app.js');
  assert.equal(sourceOf('https://cdn.example/app.js'), 'cdn.example/app.js');
  const stack = 'Error: x\n    at f (https://site.example/app.js?v=1:10:5)\n    at https://cdn.example/lib.js:1:2';
  assert.equal(stackOf(stack), 'at f (/app.js:10:5)\nat cdn.example/lib.js:1:2');
  assert.deepEqual(placeOf(stack), { source: 'https://site.example/app.js?v=1', line: 10, column: 5 });
  assert.ok((stackOf(`${'x'.repeat(9000)}:1\n`.repeat(50)) ?? '').length <= 2000);
});

test('ids are random, hashes are spread', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, randomId)).size, 1000);
  assert.match(hash128('a'), /^[\da-f]{32}$/);
  assert.notEqual(hash128('a'), hash128('b'));
  const share = Array.from({ length: 20_000 }, (_, n) => hash32(`v_${n}`)).filter((hash) => hash < 0.1 * 2 ** 32).length / 20_000;
  assert.ok(share > 0.09 && share < 0.11, String(share));
});
