// Sends batches: one at a time while the page lives, by beacons when it is left, later what failed.

import { type Batch, batchOf, bodyOf, pack } from './batch';
import { attempt, halt, isHalted, later, note, now, on } from './guard';
import { bot, change, session, visitorId } from './identity';
import { clear, onQueued, putFirst } from './queue';
import { isOff, setting } from './settings';
import { drop, entries, keep, thisTab } from './store';
import { isOptedOut } from './storage';

const TIMEOUT = 10_000;
/** Waits before the second and the third attempt. */
const RETRIES = [5000, 30_000];
const MAX_QUEUED_EVENTS = 20;
const MAX_QUEUED_CHARACTERS = 12_000;
/** Within this the next page takes the events of the last one into its own batch. */
const FRESH = 60_000;
/** After this a tab that said nothing is taken for gone. */
const GONE = 30 * 60_000;
/** Before the five minutes are over after which nobody counts as live. */
const HEARTBEAT = 270_000;
const ACTIVE = 60_000;

/** Batches not answered yet. */
let pending: Batch[] = [];
/** Delivers them one after the other. */
let delivery = Promise.resolve();
/** Nothing gets through from this page: the next one may have more luck. */
let isDown = false;
let characters = 0;
let timer: number | undefined;
let dueAt = Infinity;
/** The last instant of this visitor that the server knows, and the last input. */
let knownAt = 0;
let inputAt = 0;
let allowed = false;
const packers: (() => void)[] = [];

/** Runs before events are packed, for what is to ride along. */
export const beforePacking = (fn: () => void): void => {
  packers.push(fn);
};

/** Lets batches go, or holds them while consent is missing. */
export const allow = (value: boolean): void => {
  allowed = value;
};

/** Sends what waits, at the latest after so long; the sooner of two wishes counts. */
export const flushIn = (ms: number): void => {
  if (now() + ms >= dueAt) return;
  clearTimeout(timer);
  dueAt = now() + ms;
  timer = later(flush, ms);
};

/** An opt-out in another tab counts here too. */
const maySpeak = (): boolean => allowed && !isHalted() && !isOptedOut();

const packAll = (): Batch[] => {
  clearTimeout(timer);
  dueAt = Infinity;
  characters = 0;
  takeOver();
  for (const fn of packers) attempt(fn);
  return pack();
};

const deliver = (batches: Batch[]): void => {
  for (const batch of batches) {
    if (!pending.includes(batch)) pending.push(batch);
    delivery = delivery.then(() => attemptDelivery(batch)).catch(note);
  }
};

/** Sends what waits; done when it was answered or is kept for later. */
export const flush = (): Promise<void> => {
  dueAt = Infinity;
  if (maySpeak()) deliver(packAll());
  return delivery;
};

const finish = (batch: Batch): void => {
  pending = pending.filter((other) => other != batch);
};

/** Sends a batch until it is answered, or a few times. When the page is left meanwhile, it is no longer pending. */
const attemptDelivery = async (batch: Batch): Promise<void> => {
  for (const wait of [...RETRIES, 0]) {
    if (isDown || isHalted()) break;
    const wasFirst = !knownAt;
    const pause = await post(batch, wait);
    if (pause == null) {
      finish(batch);
      drop(batch.batch_id);
      if (wasFirst) sendStored();
      return;
    }
    if (!pending.includes(batch)) return;
    // Not in step with other visitors.
    if (wait) await new Promise<void>((done) => later(done, pause * (0.8 + Math.random() * 0.4)));
    if (!pending.includes(batch)) return;
  }
  isDown = true;
  if (keep({ b: batch, at: Date.now() })) finish(batch);
  pending = pending.slice(-10);
};

const endpoint = (): string => setting('endpoint')!;

const request = (batch: Batch, signal: AbortSignal | null = null): Promise<Response> =>
  fetch(endpoint(), {
    method: 'POST',
    // Text is sent as text/plain, which needs no preflight.
    body: bodyOf(batch),
    keepalive: true,
    credentials: 'omit',
    // The page's own policy could hide the origin, which projects may list, or show the address.
    referrerPolicy: 'origin',
    priority: 'low',
    signal,
  });

/** Sends a batch: nothing where that is done with, else the time to wait before another attempt. */
const post = async (batch: Batch, wait = 0): Promise<number | void> => {
  const abort = new AbortController();
  const timeout = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const { status, headers } = await request(batch, abort.signal);
    if (status < 300) knownAt = Date.now();
    else note('answered', status);
    if (status < 300) later(beat, HEARTBEAT);
    // The key or the origin is refused: this page has nothing more to say.
    if (status == 401 || status == 403) halt(true);
    if (status < 300 || (status >= 400 && status < 404) || status == 413) return;
    return Math.min(Number(headers.get('retry-after')), 600) * 1250 || wait;
  } catch (error) {
    note(error);
    return wait;
  } finally {
    clearTimeout(timeout);
  }
};

/** Sends what earlier pages left, one by one, in one tab at a time. */
const sendStored = async (): Promise<void> => {
  const send = async (): Promise<void> => {
    for (const { b, at, t } of entries()) {
      if (t && (t == thisTab() || Date.now() - at < GONE)) continue;
      if ((await post(b, 1)) != null) return;
      drop(b.batch_id);
    }
  };
  if (!entries().length) return;
  const { locks } = navigator;
  if (locks) await locks.request(`identity${endpoint()}`, { ifAvailable: true }, (lock) => (lock ? send() : undefined)).catch(note);
  else await send();
};

/** Gives a batch to the browser, to be sent when the page is gone. */
const beacon = (batch: Batch): boolean =>
  !!attempt(
    () =>
      // A beacon takes the page's referrer policy, and its origin with it.
      !document.querySelector('meta[name=referrer][content=no-referrer]') && navigator.sendBeacon(endpoint(), bodyOf(batch)),
  );

/**
 * Sends all that waits as the page is left, or leaves it to the next page: most pages of a visit then need no batch of their
 * own.
 */
export const leave = (toOwnPage: boolean): void => {
  if (!maySpeak()) return;
  const old = pending;
  const fresh = packAll();
  pending = [];
  const at = Date.now();
  const t = thisTab();
  const mayCarry = toOwnPage && t && !fresh[1] && !session().x;
  // In flight still, or given up: what is kept and arrives as well has one id and counts once.
  for (const b of old) keep({ b, at });
  for (const b of fresh) {
    if (mayCarry && JSON.stringify(b).length < MAX_QUEUED_CHARACTERS && keep({ b, at, t, c: true })) continue;
    if (isDown || old[0]) keep({ b, at });
    if (beacon(b)) continue;
    keep({ b, at });
    attempt(() =>
      request(b).then(
        ({ ok }) => ok && drop(b.batch_id),
        () => {},
      ),
    );
  }
};

/** Takes what the page before left in this tab. A page out of the back/forward cache may see it only a moment later. */
export const takeOver = (): void => {
  const tab = thisTab();
  // While hidden, what is stored of this tab may be this page's own.
  if (!tab || document.hidden) return;
  for (const { b, at, t, c } of entries()) {
    if (t != tab) continue;
    drop(b.batch_id);
    const isFresh = Date.now() - at <= FRESH;
    if (isFresh && b.session.session_id == session().i && b.visitor.visitor_id == visitorId()) {
      putFirst(b.events);
    } else {
      deliver([b]);
      // There are pages between that do not run the tracker.
      if (c && !isFresh) change((session) => (session.x = 1));
    }
  }
};

/** Says that the visitor is still there, once what the server knows is nearly too old for it. */
const beat = (): void => {
  const at = Date.now();
  const isDue = knownAt && at - knownAt >= HEARTBEAT && at - inputAt <= ACTIVE;
  if (!isDue || document.hidden || pending.length || isOff('heartbeat') || bot() == 100) return;
  knownAt = at;
  later(beat, HEARTBEAT);
  // Without events: with them the instant of sending would not count.
  attempt(() => request(batchOf([])).catch(() => {}));
};

/** Notes input, which a heartbeat needs. */
export const active = (): void => {
  inputAt = Date.now();
  beat();
};

/** Forgets what was not sent. */
export const discard = (): void => {
  pending = [];
  clear();
};

export const startTransport = (): void => {
  onQueued((count, event) => {
    characters += JSON.stringify(event).length;
    if (count >= MAX_QUEUED_EVENTS || characters > MAX_QUEUED_CHARACTERS) flushIn(0);
  });
  on(window, 'online', () => {
    if (!isDown) return;
    isDown = false;
    deliver(pending);
    sendStored();
  });
};
