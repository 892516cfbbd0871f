// Who visits, and in which session: kept in this browser's storage, shared by its tabs.

import { objects } from './allowed';
import { botScore } from './bot';
import { fingerprint, zone } from './fingerprint';
import { attempt, isHalted } from './guard';
import { hash128 } from './random';
import { type Kept, begin as beginRecord, isKnown, isOver, sessionIdOf } from './record';
import { isOn, setting } from './settings';
import { mode, read, write } from './storage';

const DAY = 86_400_000;
/** Half an hour of a device, which has no record to tell when its session is over. */
const IDLE = 30 * 60_000;
const MAX_ALIASES = 20;

/** What the server's formula gives for a rage click, a dead one, an error, an abandoned form and a rapid navigation. */
export const RAGE = 10;
export const DEAD = 4;
export const ERROR = 8;
export const ABANDON = 12;
export const RAPID = 6;

/** What the small script leaves out. */
interface Rest {
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
  x?: 1 | undefined;
}

type Person = Kept & Rest;

let person: Person | undefined;
/** Changes that are to be made with the next one. */
let edits: ((session: Person) => void)[] = [];
/** Whether a timer is to make them. */
let isDue: unknown;
let score: number | undefined;

const isKept = (): boolean => setting('storage') != 'none';

/** The hash of the device, where it may be told; a new one each day where nothing is kept. */
const print = (): string | undefined =>
  isOn('fingerprint') && !objects() ? fingerprint(isKept() ? '' : setting('key') + Math.floor(Date.now() / DAY)) : undefined;

/** What a visitor is known by who has no id: the server takes the device and the address for one, for a day. */
const device = (): string | false | undefined => !isKept() && print();

/** Half an hour of a device; where it begins differs from device to device, so that not all sessions end at once. */
const derivedId = (): string | false | undefined => {
  const hash = device();
  return hash && hash128(hash + Math.floor((Date.now() + parseInt(hash.slice(0, 6), 16)) / IDLE)).slice(0, 16);
};

export const sessionId = (mine = session()): string => sessionIdOf(mine);

const nothing = (): Rest => ({ c: 0, d: 0, p: 0, e: 0, w: 0, n: 0, f: 0, q: [] });

/** A new session, of a visitor who is known or of a new one. */
const begin = (known?: Person): Person => {
  const begun = { ...nothing(), ...beginRecord(known) };
  const derived = derivedId();
  if (derived) begun.i = 'ses_' + derived;
  return begun;
};

const load = (): Person | undefined => {
  const stored = read('');
  return isKnown(stored) ? { ...nothing(), ...stored } : undefined;
};

/** Names of the visitor stay in memory where ids do not outlive the tab. */
const save = (): void => {
  write('', mode == 'local' ? person : { ...person, a: [] });
};

/** Forgets what is in memory; the next use reads or makes a record. */
export const forget = (): void => {
  person = undefined;
  edits = [];
};

/** Goes on with a stored record. Where that has no names, this page's are kept. */
const adopt = (stored: Person): void => {
  person = mode == 'local' || !person ? stored : { ...stored, a: person.a };
};

/** Takes up the stored record, or makes one, with a new session if its last one is over: another tab may have begun that. */
export const renew = (): void => {
  const stored = load();
  if (stored) adopt(stored);
  person ??= begin();
  if (isOver(person)) person = begin(person);
  save();
};

/** The visitor and the session. */
export const session = (): Person => {
  if (!person) renew();
  return person!;
};

export const visitorId = (): string | undefined => (device() ? undefined : session().v);

/**
 * Changes the session on top of what other tabs did to it. Another tab may have begun a new one; then this one goes on in
 * memory until it is idle.
 */
export const change = (edit: (session: Person) => void): void => {
  const mine = session();
  const stored = load();
  const isShared = stored?.i == mine.i;
  if (isShared) adopt(stored!);
  for (const fn of [...edits.splice(0), edit]) fn(person!);
  if (isShared || !stored) save();
};

/** Makes the changes that wait. */
export const settleSession = (): void => {
  if (edits[0]) change(edits.pop()!);
};

/** Makes them every two seconds for as long as there are any: to set a timer takes a tenth of what a click may. */
const settleSoon = (): void => {
  isDue ||= setTimeout(attempt, 2000, () => {
    isDue = 0;
    if (edits[0] && !isHalted) {
      settleSoon();
      settleSession();
    }
  });
};

/** Changes the session a little later, as reading and writing it would keep a click waiting; sooner where it is told, or the page left. */
export const changeSoon = (edit: (session: Person) => void): void => {
  edits.push(edit);
  settleSoon();
};

/** Counts what the visitor did towards its frustration. */
export const count = (points: number): void => change((session) => (session.n += points));

/** Notes input; whether the session was over before it. Another tab may have kept it, which is only asked at once if it matters, or must. */
export const touch = (mayWait?: boolean): boolean => {
  const at = Date.now();
  let was = false;
  (mayWait && !isOver(session()) ? changeSoon : change)((session) => {
    was = isOver(session);
    if (!was) session.l = at;
  });
  return was;
};

/** A new visitor, as after a log-out. */
export const replace = (): void => {
  person = begin();
  save();
};

/** Two tabs that opened at once made a session each: the smaller id stays. To be called before anything is sent. */
export const agree = (): void => {
  const stored = load();
  const mine = session();
  if (!stored || stored.i == mine.i) return;
  if (Math.abs(stored.t - mine.t) < 5000 && stored.i < mine.i) adopt(stored);
  else save();
};

/** Adds a name that the site knows the visitor by; whether it is new. */
export const addAlias = (alias: string): boolean => {
  const mine = session();
  if (objects() || mine.a.includes(alias)) return false;
  mine.a = [...mine.a, alias].slice(-MAX_ALIASES);
  save();
  return true;
};

/** Keeps the record, which was in memory while consent was missing, or takes up the one from before. */
export const persist = (): void => {
  const mine = session();
  renew();
  mine.a.forEach(addAlias);
};

export const bot = (): number => (score ??= botScore());

/** The batch's `visitor`. */
export const visitorFacts = () => {
  const { a, b } = session();
  return {
    visitor_id: visitorId(),
    fingerprint_hash: print(),
    screen_width: Math.round(screen.width),
    screen_height: Math.round(screen.height),
    timezone: zone(),
    language: navigator.language,
    ad_block: b,
    bot_score: bot(),
    aliases: a[0] && a,
  };
};

/** The batch's `session`: the same facts each time, as the server keeps those of the batch it stores first. */
export const sessionFacts = () => {
  settleSession();
  const mine = session();
  return { session_id: sessionId(mine), started_at: mine.t, url: mine.u, referrer: mine.r, ...mine.m, click_count: mine.c, max_scroll_depth: mine.d };
};
