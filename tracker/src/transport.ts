// Sends batches: one at a time while the page lives, by beacons when it is left, later what failed.

import { here } from './address';
import { type Batch, batchOf, bodyOf, pack } from './batch';
import { attempt, halt, isHalted, later, note, now, on } from './guard';
import { change, session, sessionId } from './identity';
import { MAX_CHARACTERS, isAllowed, putFirst } from './queue';
import { randomId } from './random';
import { setting } from './settings';
import { type Entry, drop, entries, keep, thisTab } from './store';
import { isOptedOut } from './storage';

const TIMEOUT = 10_000;
/** Waits before the second and the third attempt, after which nothing gets through: the next page may have more luck. */
const RETRIES = [5000, 30_000];
/** Within this the next page takes the events of the last one into its own batch. */
const FRESH = 60_000;
/** After this a page or a tab that said nothing is taken for gone. */
const GONE = 30 * 60_000;

/** This page's name on what it delivers. */
let page: string;
/** Does one thing after the other. */
let delivery = Promise.resolve();
/** Attempts that failed in a row, and the wait before another. */
let failures = 0;
let pause: number | undefined;
let timer: number | undefined;
let dueAt = Infinity;
/** The last instant of this visitor that the server knows. */
let knownAt = 0;
/** Called before events are packed, for what is to ride along. */
export const packers: (() => void)[] = [];

/** Sends what waits, at the latest after so long; the sooner of two wishes counts. */
export const flushIn = (ms: number): void => {
  if (now() + ms >= dueAt) return;
  clearTimeout(timer);
  dueAt = now() + ms;
  timer = later(flush, ms);
};

/** All that waits, in batches; nothing while it may not go. An opt-out in another tab counts here too. */
const packAll = (): Batch[] => {
  clearTimeout(timer);
  dueAt = Infinity;
  if (!isAllowed || isHalted || isOptedOut()) return [];
  takeOver();
  for (const fn of packers) attempt(fn);
  return pack();
};

/** Sends what waits; done when it was answered or is kept for later. */
export const flush = (): Promise<void> => {
  for (const b of packAll()) keep({ b, at: Date.now(), t: page });
  return deliver();
};

const request = (batch: Batch, signal?: AbortSignal): Promise<Response> =>
  fetch(setting('endpoint'), {
    method: 'POST',
    // Text is sent as text/plain, which needs no preflight.
    body: bodyOf(batch),
    keepalive: true,
    credentials: 'omit',
    // The page's own policy could hide the origin, which projects may list, or show the address.
    referrerPolicy: 'origin',
    priority: 'low',
    signal: signal!,
  });

/** Sends a batch; whether that is done with. If not, another attempt follows, or the next page makes one. */
const post = async (batch: Batch): Promise<boolean | void> => {
  let wait = RETRIES[failures++];
  try {
    const response = await request(batch, AbortSignal.timeout?.(TIMEOUT));
    const { status } = response;
    if (status < 300) knownAt = Date.now();
    // The key or the origin is refused: this page has nothing more to say.
    if (status == 401 || status == 403) halt(true);
    if (status >= 300) note(status, await response.text());
    if (status < 404 || status == 413) {
      failures = 0;
      drop(batch.batch_id);
      return true;
    }
    wait &&= Math.min(+response.headers.get('retry-after')!, 600) * 1250 || wait;
  } catch (error) {
    note(error);
  }
  // Not in step with other visitors.
  if (wait)
    pause = later(
      () => {
        pause = 0;
        deliver();
      },
      wait * (0.8 + Math.random() * 0.4),
    );
};

/** Sends the kept batches that are meant, one by one. */
const send = async (isMeant: (entry: Entry) => boolean): Promise<void> => {
  for (const entry of entries()) if (!isHalted && isMeant(entry) && !(await post(entry.b))) return;
};

/** Delivers this page's batches; once something was answered also what earlier pages left, in one tab at a time. */
const deliver = (): Promise<void> =>
  (delivery = delivery
    .then(async () => {
      if (pause || failures > RETRIES.length) return;
      await send((entry) => entry.t == page);
      const sendOthers = () => send((entry) => !entry.t || (entry.t != thisTab() && Date.now() - entry.at > GONE));
      if (knownAt && !failures && entries()[0])
        await (navigator.locks ? navigator.locks.request('identity', { ifAvailable: true }, (lock) => lock && sendOthers()) : sendOthers());
    })
    .catch(note));

/** Gives a batch to the browser, to be sent when the page is gone. A beacon takes the page's referrer policy, and its origin with it. */
const beacon = (batch: Batch): boolean | undefined =>
  attempt(() => !document.querySelector('meta[name=referrer][content=no-referrer]') && navigator.sendBeacon(setting('endpoint'), bodyOf(batch)));

/**
 * Sends all that waits as the page is left, or leaves it to the next page: most pages of a visit then need no batch of their
 * own.
 */
export const leave = (toOwnPage?: unknown): void => {
  const fresh = packAll();
  const at = Date.now();
  const t = thisTab();
  const old = entries().filter((entry) => entry.t == page);
  const c = toOwnPage && t && !fresh[1] && !session().x;
  // In flight still, or given up: what is kept and arrives as well has one id and counts once.
  for (const { b } of old) keep({ b, at });
  for (const b of fresh) {
    if (c && JSON.stringify(b).length < MAX_CHARACTERS && keep({ b, at, t, c })) continue;
    keep({ b, at });
    if (!beacon(b)) attempt(() => request(b).then((response) => response.ok && drop(b.batch_id)).catch(note));
    else if (!failures && !old[0]) drop(b.batch_id);
  }
};

/** Takes what the page before left in this tab. A page out of the back/forward cache may see it only a moment later. */
export const takeOver = (): void => {
  // While hidden, what is stored of this tab may be this page's own.
  if (document.hidden) return;
  for (const { b, at, t, c } of entries()) {
    // Asked for only now: most pages find nothing, and need not open another storage for it.
    if (!t || t != thisTab()) continue;
    const isFresh = Date.now() - at <= FRESH;
    if (isFresh && b.session.session_id == sessionId()) {
      drop(b.batch_id);
      putFirst(b.events);
    } else {
      keep({ b, at, t: page });
      deliver();
      // There are pages between that do not run the tracker.
      if (c && !isFresh) change((session) => (session.x = 1));
    }
  }
};

export const lastKnown = (): number => knownAt;

/** Says that the visitor is still there, without events: with them the instant of sending would not count. */
export const ping = (): void => {
  if (here()) attempt(() => request(batchOf([])).catch(note));
};

export const startTransport = (): void => {
  page = randomId();
  on('online', () => {
    if (failures <= RETRIES.length) return;
    // One more attempt.
    failures--;
    deliver();
  });
};
