import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { frustration } from '../../src/detectors/frustration';
import { withClickId } from '../../src/address';
import * as identity from '../../src/identity';
import { settle } from '../../src/settings';
import { storeFor, storeIn } from '../../src/storage';
import { goTo, install, settings } from './page';

const MINUTE = 60_000;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date'], now: 1.75e12 });
  install();
  settle((name) => settings[name]);
  storeFor(settings.key as string);
  storeIn('local');
  identity.forget();
});

const stored = (): any => JSON.parse(localStorage.getItem('identity.000000')!);

test('ids have the forms that the collector takes', () => {
  assert.match(identity.visitorId()!, /^v_[\w-]{16}$/);
  assert.equal(identity.sessionId(), `ses_${identity.visitorId()!.slice(2)}_${identity.session().t.toString(36)}`);
});

test('a record is one for scripts of the release before, and a session that they began keeps its id', () => {
  identity.session();
  assert.match(stored().v + stored().i, /^v_[\w-]{16}ses_[\w-]{16}$/);
  localStorage.setItem('identity.000000', JSON.stringify({ ...stored(), i: 'ses_0123456789abcdef' }));
  identity.forget();
  assert.equal(identity.sessionId(), 'ses_0123456789abcdef');
});

test('a session lasts until half an hour without input', () => {
  const { i } = identity.session();
  for (let n = 0; n < 5; n++) {
    mock.timers.tick(29 * MINUTE);
    assert.equal(identity.touch(), false);
  }
  assert.equal(identity.session().i, i);
  mock.timers.tick(31 * MINUTE);
  assert.equal(identity.touch(), true);
  identity.renew();
  assert.notEqual(identity.session().i, i);
  assert.equal(identity.touch(), false);
});

test('another tab keeps a session alive', () => {
  identity.session();
  mock.timers.tick(31 * MINUTE);
  const record = stored();
  record.l = Date.now();
  localStorage.setItem('identity.000000', JSON.stringify(record));
  assert.equal(identity.touch(), false);
});

test('clicks are counted a little later, in no one else\'s session, and before anything is sent', () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1.75e12 });
  const { i } = identity.session();
  const click = () => identity.changeSoon((session) => session.c++);
  click();
  click();
  assert.equal(stored().c, 0);
  // Another tab counts, too.
  localStorage.setItem('identity.000000', JSON.stringify({ ...stored(), c: 5 }));
  mock.timers.tick(2000);
  assert.equal(stored().c, 7);
  click();
  assert.equal(identity.touch(true), false);
  assert.equal(identity.sessionFacts().click_count, 8);
  assert.deepEqual([stored().c, stored().l], [8, Date.now()]);
  click();
  identity.forget();
  mock.timers.tick(2000);
  assert.deepEqual([stored().i, stored().c], [i, 8]);
});

test('a session ends after a day, whatever happens in it', () => {
  identity.session();
  for (let n = 0; n < 24 * 6; n++) {
    mock.timers.tick(10 * MINUTE);
    if (n < 24 * 6 - 1) assert.equal(identity.touch(), false);
  }
  mock.timers.tick(1);
  assert.equal(identity.touch(), true);
});

test('a visitor is forgotten after 395 days, visits or not', () => {
  const first = identity.visitorId();
  for (let day = 0; day < 394; day++) {
    mock.timers.tick(24 * 60 * MINUTE);
    identity.forget();
    assert.equal(identity.visitorId(), first);
  }
  mock.timers.tick(2 * 24 * 60 * MINUTE);
  identity.forget();
  assert.notEqual(identity.visitorId(), first);
});

test('what other scripts write in its place is no record', () => {
  for (const text of ['', 'null', '5', '[]', '{}', '{"v":"v_aaaaaaaaaaaaaaaa"}', '{"v":5,"s":{}}', 'not JSON']) {
    localStorage.setItem('identity.000000', text);
    identity.forget();
    assert.match(identity.visitorId()!, /^v_/);
    assert.ok(identity.sessionFacts().started_at > 0);
  }
});

test('clicks of two tabs add up', () => {
  identity.session();
  identity.change((session) => session.c++);
  const record = stored();
  record.c += 5;
  localStorage.setItem('identity.000000', JSON.stringify(record));
  identity.change((session) => session.c++);
  assert.equal(identity.sessionFacts().click_count, 7);
});

test('of two sessions born at once the smaller id stays', () => {
  const mine = identity.session().i;
  const record = stored();
  record.i = 'ses_----------------';
  localStorage.setItem('identity.000000', JSON.stringify(record));
  identity.agree();
  assert.equal(identity.session().i, 'ses_----------------');
  assert.notEqual(mine, identity.session().i);
});

test('names of a visitor do not outlive the tab where ids do not', () => {
  storeIn('session');
  assert.ok(identity.addAlias('user-1'));
  assert.deepEqual(identity.visitorFacts().aliases, ['user-1']);
  assert.deepEqual(JSON.parse(sessionStorage.getItem('identity.000000')!).a, []);
  identity.agree();
  identity.change((session) => session.c++);
  mock.timers.tick(31 * MINUTE);
  identity.renew();
  assert.deepEqual(identity.visitorFacts().aliases, ['user-1'], 'but last as long as the page');
});

test('what is measured of a screen is whole', () => {
  assert.equal(identity.visitorFacts().screen_width, 1280);
});

test('the frustration score is the server’s', () => {
  const { RAGE, DEAD, ERROR, ABANDON } = identity;
  for (const points of [RAGE, RAGE, RAGE, DEAD, DEAD, DEAD, DEAD, DEAD, ERROR, ERROR, ABANDON]) identity.count(points);
  assert.equal(frustration(), 78);
  for (let n = 0; n < 4; n++) identity.count(identity.RAPID);
  assert.equal(frustration(), 100);
});

test('where nothing is kept, a visitor has an id of this page, or a device and none', () => {
  const start = (more: object): { visitor: string | undefined; print: string | undefined; session: string } => {
    const chosen: typeof settings = { ...settings, storage: 'none', ...more };
    settle((name) => chosen[name]);
    storeIn('none');
    identity.forget();
    const { visitor_id, fingerprint_hash } = identity.visitorFacts();
    return { visitor: visitor_id, print: fingerprint_hash, session: identity.sessionFacts().session_id };
  };
  const [one, other] = [start({}), start({})];
  assert.match(one.visitor!, /^v_[\w-]{16}$/);
  assert.notEqual(one.visitor, other.visitor);
  assert.notEqual(one.session, other.session);
  assert.equal(one.print, undefined);

  const [first, second] = [start({ fingerprint: true }), start({ fingerprint: true })];
  assert.deepEqual(first, second, 'a session over several pages');
  assert.equal(first.visitor, undefined);
  mock.timers.tick(31 * MINUTE);
  const later = start({ fingerprint: true });
  assert.notEqual(later.session, first.session);
  mock.timers.tick(24 * 60 * MINUTE);
  assert.notEqual(start({ fingerprint: true }).print, first.print, 'another one each day');

  Object.assign(navigator, { globalPrivacyControl: true });
  const objecting = start({ fingerprint: true });
  assert.match(objecting.visitor!, /^v_[\w-]{16}$/);
  assert.equal(objecting.print, undefined);
  assert.deepEqual([Object.keys(localStorage), Object.keys(sessionStorage)], [[], []]);
});

test('a landing page says that an ad led there, and not who clicked', () => {
  for (const [search, landing, sent] of [
    ['?gclid=Cj0Who', '/a', '/a?gclid'],
    ['?x=1&gad_source=1', '/a#/route', '/a?gad_source#/route'],
    ['?msclkid=1', '/a?page=2#/route', '/a?msclkid&page=2#/route'],
    ['?yclid=1', `/a?b=${'c'.repeat(1696)}`, `/a?yclid&b=${'c'.repeat(1696)}`],
    ['?fbclid=1&notgclid=1', '/a', '/a'],
    ['?next=/x?gclid=1', '/a', '/a'],
    ['#gclid=1', '/a', '/a'],
    ['?gclid=1', '', ''],
  ] as const) {
    goTo(`https://site.example/start${search}`);
    identity.replace();
    // The landing page is where the redirects ended.
    identity.change((session) => (session.u = withClickId(landing, session.k)));
    assert.equal(identity.sessionFacts().url, sent);
    assert.doesNotMatch(JSON.stringify(stored()), /Who/);
  }
});
