// Sends batches: one at a time while the page lives, by beacons when it is left, later what failed.

import { type Batch, batchOf, bodyOf, pack } from './batch';
import { attempt, guard, halt, isHalted, later, note, now, on } from './guard';
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

/** Batches not answered yet, the one in flight first. */
let outbox: Batch[] = [];
let inFlight: Batch | undefined;
let running: Promise<void> | undefined;
let failures = 0;
/** Until when nothing is tried. */
let resting = false;
let retryAfter = 0;
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

const packAll = (): void => {
  clearTimeout(timer);
  dueAt = Infinity;
  characters = 0;
  takeOver();
  for (const fn of packers) attempt(fn);
  outbox.push(...pack());
};

/** Sends what waits; done when it was answered or is kept for later. */
export const flush = (): Promise<void> => {
  if (!maySpeak()) return Promise.resolve();
  packAll();
  return pump();
};

const pump = (): Promise<void> =>
  (running ??= sendAll()
    .catch(note)
    .then(() => {
      running = undefined;
    }));

const sendAll = async (): Promise<void> => {
  while (outbox.length && !isHalted()) {
    if (failures > RETRIES.length) {
      // Nothing gets through from this page: the next one may have more luck. Where nothing can be kept, the latest stay.
      outbox = outbox.filter((batch) => !keep({ b: batch, at: Date.now() })).slice(-10);
      return;
    }
    if (resting) return;
    inFlight = outbox[0]!;
    const batch = inFlight;
    const status = await post(batch);
    inFlight = undefined;
    const isLeft = !outbox.includes(batch);
    if (await settle(batch, status)) {
      outbox = outbox.filter((other) => other != batch);
      if (isLeft) drop(batch.batch_id);
    } else if (!isLeft) {
      rest();
    }
  }
};

/** What an answer means for a batch: whether it is done with. */
const settle = async (batch: Batch, status: number): Promise<boolean> => {
  if (status >= 200 && status < 300) {
    const wasFirst = !knownAt || failures;
    failures = 0;
    knownAt = Date.now();
    later(beat, HEARTBEAT);
    if (wasFirst) later(sendStored, 0);
    return true;
  }
  if (status == 401 || status == 403) {
    note('the collector refuses this key or origin');
    halt(true);
    return true;
  }
  const { events } = batch;
  if (status == 413 && events.length > 1) {
    const half = events.length >> 1;
    // Halved once: a proxy that takes less than half of 16 KB takes nothing of use.
    if (!halved.has(batch)) {
      for (const part of [events.slice(0, half), events.slice(half)]) {
        const smaller = { ...batch, batch_id: batchOf([]).batch_id, events: part };
        halved.add(smaller);
        outbox.push(smaller);
      }
    }
  }
  return status == 400 || status == 413;
};

const halved = new WeakSet<Batch>();

/** Waits before the next attempt, not in step with other visitors. */
const rest = (): void => {
  const wait = retryAfter * 1000 || RETRIES[failures] || 0;
  failures++;
  resting = true;
  later(
    () => {
      resting = false;
      pump();
    },
    failures > RETRIES.length ? 0 : wait * (0.8 + Math.random() * 0.4) + (retryAfter ? wait * 0.2 : 0),
  );
};

const endpoint = (): string => setting('endpoint')!;

const request = (batch: Batch, signal?: AbortSignal): Promise<Response> =>
  fetch(endpoint(), {
    method: 'POST',
    // Text is sent as text/plain, which needs no preflight.
    body: bodyOf(batch),
    keepalive: true,
    credentials: 'omit',
    // The page's own policy could hide the origin, which projects may list, or show the address.
    referrerPolicy: 'origin',
    priority: 'low',
    signal: signal ?? null,
  });

/** The status that a batch was answered with; 0 without an answer. */
const post = async (batch: Batch): Promise<number> => {
  const abort = new AbortController();
  const timeout = setTimeout(() => abort.abort(), TIMEOUT);
  retryAfter = 0;
  try {
    const response = await request(batch, abort.signal);
    retryAfter = Math.min(Number(response.headers.get('retry-after')) || 0, 600);
    if (response.status >= 400) note(response.status, await response.text());
    return response.status;
  } catch (error) {
    note(error);
    return 0;
  } finally {
    clearTimeout(timeout);
  }
};

/** Sends what earlier pages left, one by one, in one tab at a time. */
const sendStored = async (): Promise<void> => {
  const send = async (): Promise<void> => {
    for (const entry of entries()) {
      if (entry.t && (entry.t == thisTab() || Date.now() - entry.at < GONE)) continue;
      const status = await post(entry.b);
      if (!(await settle(entry.b, status))) return;
      drop(entry.b.batch_id);
    }
  };
  try {
    if (!entries().length) return;
    const { locks } = navigator;
    if (locks) await locks.request(`identity${endpoint()}`, { ifAvailable: true }, (lock) => (lock ? send() : undefined));
    else await send();
  } catch (error) {
    note(error);
  }
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
  packAll();
  const batches = outbox;
  outbox = [];
  const [only] = batches;
  if (
    toOwnPage &&
    only &&
    !batches[1] &&
    only != inFlight &&
    !session().x &&
    thisTab() &&
    JSON.stringify(only).length < MAX_QUEUED_CHARACTERS &&
    keep({ b: only, at: Date.now(), t: thisTab(), c: true })
  ) {
    return;
  }
  for (const batch of batches) {
    // What is kept and sent both has one id and counts once.
    if (batch == inFlight || failures) keep({ b: batch, at: Date.now() });
    if (batch == inFlight || beacon(batch)) continue;
    keep({ b: batch, at: Date.now() });
    attempt(() =>
      request(batch).then(
        ({ ok }) => ok && drop(batch.batch_id),
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
      outbox.push(b);
      // There are pages between that do not run the tracker.
      if (c && !isFresh) change((session) => (session.x = 1));
    }
  }
};

/** Says that the visitor is still there, once what the server knows is nearly too old for it. */
const beat = (): void => {
  const at = Date.now();
  const isDue = knownAt && at - knownAt >= HEARTBEAT && at - inputAt <= ACTIVE;
  if (!isDue || document.hidden || inFlight || outbox.length || isOff('heartbeat') || bot() == 100) return;
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
  outbox = [];
  clear();
};

export const startTransport = (): void => {
  onQueued((count, event) => {
    characters += JSON.stringify(event).length;
    if (count >= MAX_QUEUED_EVENTS || characters > MAX_QUEUED_CHARACTERS) flushIn(0);
  });
  on(window, 'online', () => {
    resting = false;
    failures = Math.min(failures, RETRIES.length);
    if (failures) pump().then(guard(() => sendStored()));
  });
};

