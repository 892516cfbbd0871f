// Who visits, and in which session: kept in this browser's storage, shared by its tabs.

import { type Campaign, address, campaign, referrer } from './address';
import { checkBait } from './ad-block';
import { botScore } from './bot';
import { fingerprint } from './fingerprint';
import { attempt } from './guard';
import { hash128, randomId } from './random';
import { isOn, setting } from './settings';
import { keepsFor, read, write } from './storage';

const DAY = 86_400_000;
/** After creation, and not renewed by visits: what data protection authorities ask of audience measurement. */
const VISITOR_LIFE = 395 * DAY;
const IDLE = 30 * 60_000;
const MAX_ALIASES = 20;

/** What the visitor did in a session, by the name that the frustration score counts it under. */
export type Deed = 'rage' | 'dead' | 'error' | 'abandon' | 'rapid';

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
  /** Deeds; the frustration score last sent. */
  n: { [deed in Deed]?: number };
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
/** Whether the visitor has no name here: the server tells such visitors apart, for a day. */
let isNameless = false;
let print: string | undefined;
let score: number | undefined;

const newSession = (at = Date.now()): Session => ({
  i: `ses_${isNameless && print ? sessionOf(at) : randomId()}`,
  t: at,
  l: at,
  u: address(location.href).url,
  r: referrer(),
  m: campaign(),
  c: 0,
  d: 0,
  p: 0,
  e: 0,
  w: 0,
  n: {},
  f: 0,
  q: [],
});

/** Half an hour of a device; where it begins differs from device to device, so that not all sessions end at once. */
const sessionOf = (at: number): string => hash128(`${print}${Math.floor((at + parseInt(print!.slice(0, 6), 16)) / IDLE)}`).slice(0, 16);

const newPerson = (): Person => ({ v: `v_${randomId()}`, c: Date.now(), a: [], s: newSession() });

/** The stored record, if it is one: other scripts can write here too. */
const load = (): Person | undefined => {
  const stored = read('') as Person | undefined;
  const isValid = attempt(
    () => stored && /^v_[\w-]{16}$/.test(stored.v) && /^ses_[\w-]{16}$/.test(stored.s.i) && stored.c + VISITOR_LIFE > Date.now() && stored.s.l > 0 && stored.a.slice && stored.s.n && stored.s.q.slice,
  );
  return isValid ? stored : undefined;
};

/** Names of the visitor stay in memory where ids do not outlive the tab. */
const save = (): void => {
  write('', keepsFor() == 'local' ? person : { ...person, a: [] });
};

const isOver = (session: Session): boolean => Date.now() - session.l > IDLE || Date.now() - session.t > DAY;

/** Forgets what is in memory; the next use reads or makes a record. */
export const forget = (): void => {
  person = undefined;
};

/** Sets how ids are made: from the device where it may be told, and nothing is kept. */
export const identifyBy = (keepsNothing: boolean): void => {
  if (!objects() && isOn('fingerprint')) {
    const salt = keepsNothing ? setting('key')! + Math.floor(Date.now() / DAY) : '';
    print = fingerprint(salt);
  }
  isNameless = keepsNothing;
};

const me = (): Person => {
  if (!person) {
    person = load() ?? newPerson();
    if (isOver(person.s)) person.s = newSession();
    save();
  }
  return person;
};

export const session = (): Readonly<Session> => me().s;

export const visitorId = (): string | undefined => (isNameless ? undefined : me().v);

/** Changes the session on top of what other tabs did to it. */
export const change = (edit: (session: Session) => void): void => {
  const mine = me();
  const stored = load();
  // Another tab may have begun a new one; then this one goes on in memory until it is idle.
  const isShared = stored?.s.i == mine.s.i;
  if (isShared) person = { ...stored!, a: stored!.a.length ? stored!.a : mine.a };
  edit(person!.s);
  if (isShared || !stored) save();
};

/** Counts what the visitor did towards its frustration. */
export const count = (deed: Deed): void => change(({ n }) => (n[deed] = (n[deed] ?? 0) + 1));

let touched = 0;

/** Notes input; whether the session was over before it. Written every few seconds at most, as input is frequent. */
export const touch = (): boolean => {
  const at = Date.now();
  if (isOver(session())) {
    // Another tab may have kept it.
    const stored = load();
    if (stored?.s.i != session().i || isOver(stored!.s)) return true;
    person = stored;
  }
  me().s.l = at;
  if (Math.abs(at - touched) > 5000) {
    touched = at;
    change((session) => {
      session.l = at;
    });
  }
  return false;
};

/** The session after one that is over: another tab's, if that has begun one. */
export const renew = (): void => {
  const stored = load();
  person = stored && !isOver(stored.s) ? stored : { ...(stored ?? me()), s: newSession() };
  save();
};

/** A new visitor, as after a log-out. */
export const replace = (): void => {
  person = newPerson();
  save();
};

/** Two tabs that opened at once made a session each: the smaller id stays. To be called before anything is sent. */
export const agree = (): void => {
  const stored = load();
  const mine = me();
  if (!stored || stored.s.i == mine.s.i) return;
  if (Math.abs(stored.s.t - mine.s.t) < 5000 && stored.s.i < mine.s.i) person = stored;
  else save();
};

/** Whether the visitor objects to being followed: Global Privacy Control. */
export const objects = (): boolean => !!(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;

/** Adds a name that the site knows the visitor by; whether it is new. */
export const addAlias = (alias: string): boolean => {
  const aliases = me().a;
  if (objects() || aliases.includes(alias)) return false;
  me().a = [...aliases, alias].slice(-MAX_ALIASES);
  save();
  return true;
};

/** Keeps the record, which was in memory while consent was missing, or takes up the one from before. */
export const persist = (): void => {
  const stored = load();
  if (stored) {
    const aliases = person?.a ?? [];
    person = stored;
    for (const alias of aliases) addAlias(alias);
    if (isOver(person.s)) person.s = newSession();
  }
  save();
};

export const bot = (): number => (score ??= botScore());

const size = (value: number): number | undefined => (value >= 0 ? Math.round(value) : undefined);

const short = (value: string | undefined): string | undefined => value?.slice(0, 256);

let zoneName: string | undefined;

/** Asked for once: it takes a browser milliseconds to know. */
export const zone = (): string | undefined => (zoneName ??= short(attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone)));

/** The batch's `visitor`. */
export const visitorFacts = () => {
  const found = session().b ?? checkBait();
  if (found != session().b) change((session) => (session.b = found));
  const { a } = me();
  return {
    visitor_id: visitorId(),
    fingerprint_hash: print,
    screen_width: size(screen.width),
    screen_height: size(screen.height),
    timezone: zone(),
    language: short(navigator.language),
    ad_block: found,
    bot_score: bot(),
    aliases: a.length ? a : undefined,
  };
};

/** The batch's `session`: the same facts each time, as the server keeps those of the batch it stores first. */
export const sessionFacts = () => {
  const { i, t, u, r, m, c, d } = session();
  return { session_id: i, started_at: t, url: u, referrer: r, ...m, click_count: c, max_scroll_depth: d };
};

const POINTS: { [deed in Deed]: number } = { rage: 10, dead: 4, error: 8, abandon: 12, rapid: 6 };

/** The session's frustration so far, by the formula of the server. */
export const frustration = (): number => {
  const { n } = session();
  return Math.min(100, Object.entries(POINTS).reduce((sum, [deed, points]) => sum + points * (n[deed as Deed] ?? 0), 0));
};

