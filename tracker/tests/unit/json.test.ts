import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy, toJson } from '../../src/json';

test('lone surrogates do not reach the collector', () => {
  for (const value of ['\ud83d', 'a\udc00b', { '\ud83d': ['\ud83d\ude00'] }, 'spelled \\ud83d', '\\\ud83d', '"\\']) {
    const text = toJson(value);
    assert.ok(!/(^|[^\\])(\\\\)*\\ud[89a-f]/i.test(text), text);
    JSON.parse(text);
  }
  assert.equal(toJson('😀'), '"😀"');
  assert.equal(JSON.parse(toJson('spelled \\ud83d')), 'spelled \\ud83d');
});

test('a copy ends, and is what JSON can say', () => {
  const cycle: any = { a: 1 };
  cycle.self = cycle;
  assert.doesNotThrow(() => JSON.stringify(copy(cycle)));
  assert.deepEqual(copy({ big: 10n, nan: NaN, yes: true, none: null, list: [1, undefined] }), { big: '10', nan: NaN, yes: true, none: null, list: [1, undefined] });
  const hostile = {
    get bad(): never {
      throw new Error('bad');
    },
    good: 1,
  };
  assert.equal(JSON.stringify(copy(hostile)), '{"good":1}');
  const wide = copy(Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, n]))) as object;
  assert.equal(Object.keys(wide).length, 100);
  assert.equal((copy('x'.repeat(5000)) as string).length, 1000);
  assert.equal(copy(new Proxy({}, { ownKeys: () => { throw new Error('no'); } })), undefined);
});
