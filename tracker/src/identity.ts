// Who visits, and in which session: kept in this browser's storage, shared by its tabs.

import { type Campaign, address, campaign, referrer } from './address';
import { checkBait } from './ad-block';
import { botScore } from './bot';
import { fingerprint, zone } from './fingerprint';
import { hash128, randomId } from './random';
import { isOn, setting } from './settings';
import { mode, read, write } from './storage';

const DAY = 86_400_000;
/** After creation, and not renewed by visits: what data protection authorities ask of audience measurement. */
const VISITOR_LIFE = 395 * DAY;
const IDLE = 30 * 60_000;
const MAX_ALIASES = 20;

/** What the server's formula gives for a rage click, a dead one, an error, an abandoned form and a rapid navigation. */
export const RAGE = 10;
export const DEAD = 4;
export const ERROR = 8;
export const ABANDON = 12;
export const RAPID = 6;

// The keys are short because a record is written at each click.
interface Session {
  /** Id. */
  i: string;
  /** Start. */
  t: number;
  /** Last input or page view. */
  l: number;
  /** Landing page, referrer, campaign. */
  u: string;
  r?: string | undefined;
  m: Campaign;
  /** Clicks; scroll depth. */
  c: number;
  d: number;
  /** Page views; events of detectors; the last page view's instant. */
  p: number;
  e: number;
  w: number;
  /** Points of frustration; those last sent. */
  n: number;
  f: number;
  /** Ad blocker; addresses whose diagnostics were sent; whether carrying once failed. */
  b?: number | undefined;
  q: string[];
  x?: 1;
}

interface Person {
  v: string;
  /** Created. */
  c: number;
  /** Aliases. */
  a: string[];
  s: Session;
}

let person: Person | undefined;
let score: number | undefined;

/** Whether the visitor objects to being followed: Global Privacy Control. */
export const objects = (): boolean => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl!;

/** Whether the visitor has no name here: the server tells such visitors apart, for a day. */
const isNameless = (): boolean => setting('storage') == 'none';

/** The hash of the device, where it may be told; a new one each day where nothing is kept. */
const print = (): string | undefined =>
  isOn('fingerprint') && !objects() ? fingerprint(isNameless() ? setting('key') + Math.floor(Date.now() / DAY) : '') : undefined;

/** Half an hour of a device; where it begins differs from device to device, so that not all sessions end at once. */
const derivedId = (device: string): string =>
  hash128(device + Math.floor((Date.now() + parseInt(device.slice(0, 6), 16)) / IDLE)).slice(0, 16);

const newSession = (): Session => {
  const device = print();
  const at = Date.now();
  return {
    i: `ses_${isNameless() && device ? derivedId(device) : randomId()}`,
    t: at,
    l: at,
    u: address().url,
    r: referrer(),
    m: campaign(),
    c: 0,
    d: 0,
    p: 0,
    e: 0,
    w: 0,
    n: 0,
    f: 0,
    q: [],
  };
};

const newPerson = (): Person => ({ v: `v_${randomId()}`, c: Date.now(), a: [], s: newSession() });

/** The stored record, if it is one: other scripts can write here too. */
const load = (): Person | undefined => {
  const stored = read('') as Person | undefined;
  return stored?.c! > Date.now() - VISITOR_LIFE && /^v_[\w-]{16}ses_[\w-]{16}$/.test(stored!.v + stored!.s?.i) ? stored : undefined;
};

/** Names of the visitor stay in memory where ids do not outlive the tab. */
const save = (): void => {
  write('', mode == 'local' ? person : { ...person, a: [] });
};

const isOver = (session: Session): boolean => Date.now() > Math.min(session.l + IDLE, session.t + DAY);

/** Forgets what is in memory; the next use reads or makes a record. */
export const forget = (): void => {
  person = undefined;
};

/** Takes up the stored record, or makes one, with a new session if its last one is over: another tab may have begun that. */
export const renew = (): void => {
  person = load() ?? person ?? newPerson();
  if (isOver(person.s)) person.s = newSession();
  save();
};

const me = (): Person => {
  if (!person) renew();
  return person!;
};

export const session = (): Readonly<Session> => me().s;

export const visitorId = (): string | undefined => (isNameless() ? undefined : me().v);

/**
 * Changes the session on top of what other tabs did to it. Another tab may have begun a new one; then this one goes on in
 * memory until it is idle.
 */
export const change = (edit: (session: Session) => void): void => {
  const mine = me();
  const stored = load();
  const isShared = stored?.s.i == mine.s.i;
  if (isShared) person = mode == 'local' ? stored : { ...stored!, a: mine.a };
  edit(person!.s);
  if (isShared || !stored) save();
};

/** Counts what the visitor did towards its frustration. */
export const count = (points: number): void => change((session) => (session.n += points));

/** The session's frustration so far, by the formula of the server. */
export const frustration = (): number => Math.min(100, session().n);

/** Notes input; whether the session was over before it. Written every few seconds at most, as input is frequent. */
export const touch = (): boolean => {
  const at = Date.now();
  // Another tab may have kept it.
  if (isOver(session())) change(() => {});
  if (isOver(session())) return true;
  if (at - session().l > 5000) change((session) => (session.l = at));
  return false;
};

/** A new visitor, as after a log-out. */
export const replace = (): void => {
  person = newPerson();
  save();
};

/** Two tabs that opened at once made a session each: the smaller id stays. To be called before anything is sent. */
export const agree = (): void => {
  const stored = load();
  const mine = session();
  if (stored && Math.abs(stored.s.t - mine.t) < 5000 && stored.s.i <= mine.i) person = stored;
  else save();
};

/** Adds a name that the site knows the visitor by; whether it is new. */
export const addAlias = (alias: string): boolean => {
  const mine = me();
  if (objects() || mine.a.includes(alias)) return false;
  mine.a = [...mine.a, alias].slice(-MAX_ALIASES);
  save();
  return true;
};

/** Keeps the record, which was in memory while consent was missing, or takes up the one from before. */
export const persist = (): void => {
  const mine = me();
  renew();
  mine.a.forEach(addAlias);
};

export const bot = (): number => (score ??= botScore());

/** The batch's `visitor`. */
export const visitorFacts = () => {
  const found = session().b ?? checkBait();
  if (found != session().b) change((session) => (session.b = found));
  const { a } = me();
  return {
    visitor_id: visitorId(),
    fingerprint_hash: print(),
    screen_width: Math.round(screen.width),
    screen_height: Math.round(screen.height),
    timezone: zone(),
    language: navigator.language,
    ad_block: found,
    bot_score: bot(),
    aliases: a[0] && a,
  };
};

/** The batch's `session`: the same facts each time, as the server keeps those of the batch it stores first. */
export const sessionFacts = () => {
  const mine = session();
  return { session_id: mine.i, started_at: mine.t, url: mine.u, referrer: mine.r, ...mine.m, click_count: mine.c, max_scroll_depth: mine.d };
};
