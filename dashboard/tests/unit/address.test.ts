import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { format, hrefTo, hrefWith, parse } from '../../src/address';

beforeEach(() => {
  Object.assign(globalThis, { location: { hash: '' } });
});

test('what is formatted is parsed to the same', () => {
  for (const path of [[], ['visitors'], ['sessions', 'ses_1'], ['visitors', 'a/b?c#d%20é"<>']]) {
    for (const params of [{}, { project: 'demo', range: '7d' }, { url: '/a?b=c&d=e#f', at: '" onload=x' }]) {
      assert.deepEqual(parse(format({ path, params })), { path, params });
    }
  }
});

test('a broken address is still one', () => {
  assert.deepEqual(parse(''), { path: [], params: {} });
  assert.deepEqual(parse('#/visitors/%'), { path: ['visitors', '%'], params: {} });
  assert.deepEqual(parse('#//a//b/?x'), { path: ['a', 'b'], params: { x: '' } });
});

test('another page keeps project and days, and nothing else', () => {
  location.hash = '#/visitors?project=demo&from=2026-01-01&to=2026-01-02&search=x&page=3';
  assert.equal(hrefTo(['forms']), '#/forms?project=demo&from=2026-01-01&to=2026-01-02');
  assert.equal(hrefTo([], { project: 'shop' }), '#/?project=shop&from=2026-01-01&to=2026-01-02');
});

test('the same page with another choice begins at its first rows', () => {
  location.hash = '#/visitors?project=demo&search=x&page=3';
  assert.equal(hrefWith({ browser: 'Firefox' }), '#/visitors?project=demo&search=x&browser=Firefox');
  assert.equal(hrefWith({ page: '4' }), '#/visitors?project=demo&search=x&page=4');
  assert.equal(hrefWith({ search: '' }), '#/visitors?project=demo');
});
