import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { address, campaign, referrer } from '../../src/address';
import { settle } from '../../src/settings';
import { goTo, install } from './page';

let settings: { [name: string]: unknown } = {};
beforeEach(() => {
  install();
  settings = {};
  settle((name) => settings[name]);
});

const url = (href: string): string => address(href).url;

test('queries and fragments stay at home', () => {
  assert.equal(url('/a/b?token=1#secret'), '/a/b');
  settings.params = ['page', 'q'];
  assert.equal(url('/a?token=1&page=2'), '/a?page=2');
  assert.equal(url('/a?page=a@b.c'), '/a?page=*');
  assert.equal(url('/a?q=a%20b&page=2'), url('/a?x=1&page=2&q=a+b'), 'one page has one address');
  assert.equal(address('/a?q=a%20b').key_, address('/a?x=1&q=a%20b').key_);
});

test('where nothing is measured there is no address', () => {
  settings.exclude = ['/admin/**'];
  assert.equal(url('/admin/users?page=2#/a'), '');
  assert.equal(url('/administration'), '/administration');
});

test('routes in the hash are pages', () => {
  assert.equal(url('/#/a?x=1'), '/#/a');
  assert.equal(url('/#!/a/9f86d081884c7d659a2feaa0'), '/#!/a/*');
  assert.equal(url('/#about'), '/');
  settings.hash = true;
  assert.equal(url('/#about'), '/#about');
  settings.hash = 'off';
  assert.equal(url('/#/a'), '/');
});

test('what looks like a secret in a path does not leave', () => {
  for (const [path, sent] of [
    ['/reset/9f86d081884c7d659a2feaa0', '/reset/*'],
    ['/u/ana%40example.com', '/u/*'],
    ['/u/550e8400-e29b-41d4-a716-446655440000/x', '/u/*/x'],
    ['/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', '/t/*'],
    ['/orders/123456789', '/orders/123456789'],
    ['/blog/25-things-you-should-know-about-rust-2024', '/blog/25-things-you-should-know-about-rust-2024'],
    ['/%E0%A4%A', '/%E0%A4%A'],
  ]) {
    assert.equal(url(path!), sent);
  }
  settings.mask = ['/orders/*/items', '/account/**'];
  assert.equal(url('/orders/1/items'), '/orders/*/items');
  assert.equal(url('/account/a/b'), '/account/**');
  assert.equal(url('/orders/1'), '/orders/1');
});

test('addresses are bounded', () => {
  // With the longest origin, as a referrer has one, or a click id it is still one that the collector takes.
  assert.ok('https://'.length + 253 + ':65535'.length + url(`/${'a'.repeat(5000)}`).length <= 2048);
  const began = performance.now();
  url(`/${'a1-'.repeat(20_000)}`);
  assert.ok(performance.now() - began < 500);
});

test('the referrer is a site, not a search', () => {
  const from = (text: string): string | undefined => {
    (document as any).referrer = text;
    return referrer();
  };
  assert.equal(from('https://www.google.com/search?q=secret'), 'https://www.google.com/search');
  assert.equal(from('https://site.example/other'), undefined);
  assert.equal(from(''), undefined);
  assert.equal(from('android-app://com.example/?x'), 'android-app://com.example/');
});

test('campaigns are read from the query and from a route', () => {
  goTo('https://site.example/?utm_source=news&utm_term=a@b.co&gclid=1');
  assert.deepEqual(campaign(), { utm_source: 'news', utm_term: '*' });
  goTo('https://site.example/#/a?utm_medium=email');
  assert.deepEqual(campaign(), { utm_medium: 'email' });
});
