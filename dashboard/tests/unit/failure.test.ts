import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from '../../src/api/failure';
import { states } from '../../src/texts';

const answer = (status: number, headers: Record<string, string> = {}) => new Response(null, { status, headers });

test('an error says what its answer says', () => {
  const failure = failureOf(answer(404), { error: { status: 404, code: 'not_found', message: 'No such visitor.' } });
  assert.deepEqual([failure.status, failure.code, failure.message, failure.retryAfter], [404, 'not_found', 'No such visitor.', undefined]);
});

test('a 429 always has a time to wait', () => {
  assert.equal(failureOf(answer(429, { 'Retry-After': '7' }), undefined).retryAfter, 7);
  assert.equal(failureOf(answer(429), undefined).retryAfter, 5);
  assert.equal(failureOf(answer(429, { 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' }), undefined).retryAfter, 5);
});

test('an answer that is not the API’s is an error all the same', () => {
  for (const body of [undefined, null, '<html>', { error: null }, { error: 'x' }, []]) assert.equal(failureOf(answer(502), body).status, 502);
});

test('every failure has words of its own', () => {
  for (const status of [0, 400, 401, 403, 404, 429, 500, 503]) {
    const { title, advice } = states.failure(status, '');
    assert.ok(title && advice);
  }
});
