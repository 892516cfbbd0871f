import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFrustrating, kindOf, nameOf, summaryOf, urlOf } from '../../src/shared/events';

const event = (name: string, data: unknown, url: string | null = null) => ({ id: 1, name, data, created_at: 0, url });

test('an event of the site’s own may have any name', () => {
  for (const name of ['signed_up', 'constructor', '__proto__', 'to_string', 'hasOwnProperty']) {
    assert.equal(kindOf(name), 'other');
    assert.equal(nameOf(name), name);
    assert.equal(isFrustrating(name), false);
    assert.equal(summaryOf(event(name, { plan: 'team' })), '');
  }
});

test('data of another shape than the tracker’s breaks nothing', () => {
  const names = ['page_view', 'rage_click', 'js_exception', 'form_abandon', 'field_hesitation', 'reading_behavior', 'web_vitals', 'frustration_score', 'seo_diagnostics'];
  for (const name of names) {
    for (const data of [null, undefined, 'text', 1, [], {}, { title: {}, selector: [], message: null, hesitation_ms: 'x', lcp: null, url: {} }]) {
      assert.equal(typeof summaryOf(event(name, data)), 'string');
      assert.equal(urlOf(event(name, data)), null);
    }
  }
});

test('the page of an event is its own, else that of its data', () => {
  assert.equal(urlOf(event('page_view', { url: '/b' }, '/a')), '/a');
  assert.equal(urlOf(event('page_view', { url: '/b' })), '/b');
});
