import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../src/format';

test('durations are as exact as they are read, and never rounded up', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0s'],
    [5798, '5.7s'],
    [59_999, '59.9s'],
    [60_000, '1m 0s'],
    [99_479, '1m 39s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h 0m'],
    [90_061_000, '25h 1m'],
  ];
  for (const [value, text] of cases) assert.equal(format.duration(value), text);
});

test('times of a session count from its start', () => {
  assert.equal(format.offset(0), '0:00');
  assert.equal(format.offset(65_999), '1:05');
  assert.equal(format.offset(3_725_000), '1:02:05');
  assert.equal(format.offset(-5), '0:00');
});

test('shares and changes have one decimal, and a share of nothing is 0', () => {
  assert.equal(format.percent(39.1), '39.1 %');
  assert.equal(format.share(1, 3), '33.3 %');
  assert.equal(format.share(0, 0), '0.0 %');
  assert.equal(format.change(12.34), '+12.3 %');
  assert.equal(format.points(-2.1), '-2.1');
});

test('how long ago is told in the largest whole unit', () => {
  const now = 1_800_000_000_000;
  assert.equal(format.ago(now, now), '0 sec ago');
  assert.equal(format.ago(now - 59_400, now), '59 sec ago');
  assert.equal(format.ago(now - 119_000, now), '1 min ago');
  assert.equal(format.ago(now - 7_200_000, now), '2 hr ago');
  assert.equal(format.ago(now - 172_800_000, now), '2 days ago');
  // A clock that is behind the server's.
  assert.equal(format.ago(now + 5000, now), '0 sec ago');
});

test('what is no day, country or language stays as it is', () => {
  assert.equal(format.fullDay('<b>'), '<b>');
  assert.equal(format.country('RS'), 'Serbia');
  assert.equal(format.country('<b>'), '<b>');
  assert.equal(format.language('de'), 'German');
  assert.equal(format.language('!!'), '!!');
  assert.equal(format.country(null), '–');
});
