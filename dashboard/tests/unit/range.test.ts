import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDays, before, daysBetween, fromParams, isDay, lengthOf, ofPreset } from '../../src/range';

const now = Date.parse('2026-03-01T23:59:59.999Z');

test('presets are whole days in UTC that end today', () => {
  assert.deepEqual(ofPreset('today', now), { from: '2026-03-01', to: '2026-03-01' });
  assert.deepEqual(ofPreset('7d', now), { from: '2026-02-23', to: '2026-03-01' });
  assert.deepEqual(ofPreset('30d', now), { from: '2026-01-31', to: '2026-03-01' });
  assert.deepEqual(ofPreset('90d', now), { from: '2025-12-02', to: '2026-03-01' });
  assert.deepEqual(ofPreset('month', now), { from: '2026-03-01', to: '2026-03-01' });
  assert.deepEqual(ofPreset('last-month', now), { from: '2026-02-01', to: '2026-02-28' });
  assert.deepEqual(ofPreset('last-month', Date.parse('2024-03-31T00:00:00Z')), { from: '2024-02-01', to: '2024-02-29' });
  assert.deepEqual(ofPreset('last-month', Date.parse('2026-01-05T00:00:00Z')), { from: '2025-12-01', to: '2025-12-31' });
});

test('the days before are as many, and end right before', () => {
  assert.deepEqual(before({ from: '2026-03-01', to: '2026-03-01' }), { from: '2026-02-28', to: '2026-02-28' });
  assert.deepEqual(before({ from: '2026-02-23', to: '2026-03-01' }), { from: '2026-02-16', to: '2026-02-22' });
  for (const length of [1, 28, 365, 1000]) {
    const range = { from: addDays('2026-03-01', 1 - length), to: '2026-03-01' };
    assert.equal(lengthOf(range), length);
    assert.equal(lengthOf(before(range)), length);
    assert.equal(daysBetween(before(range).to, range.from), 1);
  }
});

test('only real days are days', () => {
  for (const day of ['2026-02-28', '2024-02-29', '1970-01-01']) assert.ok(isDay(day));
  for (const text of ['2026-02-30', '2026-2-3', '2026-13-01', '2025-02-29', 'today', '', undefined, '2026-01-01T00:00:00Z']) assert.equal(isDay(text), false);
});

test('an address that makes no sense shows the default', () => {
  const usual = { preset: '30d', range: { from: '2026-01-31', to: '2026-03-01' } };
  for (const params of [{}, { range: 'forever' }, { from: '2026-02-01' }, { from: '2026-02-02', to: '2026-02-01' }, { from: 'x', to: 'y' }, { range: '<script>' }])
    assert.deepEqual(fromParams(params, now), usual);
  assert.deepEqual(fromParams({ from: '2026-02-01', to: '2026-02-02', range: '7d' }, now), { preset: undefined, range: { from: '2026-02-01', to: '2026-02-02' } });
});
