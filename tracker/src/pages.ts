// Page views: when one begins, what ends it, and what is said of it then.

import { type Address, address, here, setHere, withClickId } from './address';
import { batchOf } from './batch';
import { emit, tell } from './events';
import { attempt, later, now, on, onInput } from './guard';
import { RAPID, change, count, renew, replace, session, settleSession, touch } from './identity';
import { isLeavingToOwn, onRoute, stay } from './navigation';
import { type TrackedEvent, isOpen, putFirst, seal, take } from './queue';
import { drop, isKept, keep, thisTab } from './store';
import { titleOf } from './text';
import { flush, flushIn, leave, packers, takeOver } from './transport';

const FIRST_DELAY = 3000;
const DELAY = 15_000;
/** An address that is replaced this soon was a redirect. */
const REDIRECT = 1000;
/** The server's rule. */
const RAPID_TIME = 2000;
/** Between two looks at whether a session lasts. */
const TOUCH = 2000;
/** A tab that comes back within this goes on with its page view. */
const MAX_HIDDEN = 10 * 60_000;

/** Adds an event to those that finish a page view. */
export type Add = (name: string, data: Record<string, unknown>, url?: string) => unknown;

/** Whether the document is left, or the page view alone, or the page may only be hidden. */
export const DOCUMENT_LEFT = 2;
const VIEW_LEFT = 1;
const HIDDEN = 0;

/**
 * Says what there is to say of a page view that is finished. `isFinal` is false for a snapshot, after which the view may go on.
 * `at` is when it was last visible.
 */
type Finisher = (add: Add, isFinal: boolean, left: number, at: number) => void;

/** What is viewed, under a name of the site's perhaps. */
let view: Address | undefined;
let viewTitle: string | undefined;
let viewEvent: TrackedEvent;
let since = 0;
/** The document's own address, which the view may be named differently than. */
let routeKey: string;
let inputAt = 0;
let hiddenAt: number | undefined;
let hiddenTimer: number | undefined;
/** The batch that speaks for this page if it is killed while hidden. */
let snapshot: string | undefined;
/** Called as a page view is finished. */
export const finishers: Finisher[] = [];
const viewers: ((at: number) => void)[] = [];

/** Calls back as a page view begins, with when; at once if one has begun already. */
export const onView = (fn: (at: number) => void): void => {
  viewers.push(fn);
  if (view) fn(viewEvent.created_at);
};

/** Lets so many different things through in a page view, each once. */
export const quota = (max: number): ((what?: unknown) => unknown) => {
  const seen = new Set<unknown>();
  onView(() => seen.clear());
  return (what = {}) => !seen.has(what) && seen.size < max && seen.add(what);
};

/** Read as late as can be: routers set it after the address. */
const readTitle = (): void => {
  if (view && isOpen(viewEvent)) viewEvent.data!.title ??= titleOf(viewTitle ?? document.title) || undefined;
};

/** What there is to say of the page view. */
const finish = (isFinal: boolean, left: number, at: number): TrackedEvent[] => {
  const events: TrackedEvent[] = [];
  settleSession();
  readTitle();
  if (view && here())
    for (const fn of finishers) attempt(() => fn((name, data, url = here()) => events.push({ name, created_at: at, data: { ...data, url } }), isFinal, left, at));
  return events;
};

/** Queues it, at the instant that the page was last visible. */
const finishNow = (left: number, at = hiddenAt ?? Date.now()): void => finish(true, left, at).forEach(emit);

/** Begins a page view, in a new session if the last one is over. */
const begin = (to: Address, title?: string): void => {
  if (to.url && touch()) {
    flush();
    renew();
  }
  setHere(to.url);
  view = to;
  viewTitle = title;
  since = now();
  const at = Date.now();
  if (to.url) {
    if (at - session().w <= RAPID_TIME) count(RAPID);
    flushIn(session().p ? DELAY : FIRST_DELAY);
    change((session) => {
      session.w = session.l = at;
      session.p++;
      // It may have begun where nothing is measured.
      session.u ||= withClickId(to.url, session.k);
    });
  }
  viewEvent = tell('page_view', {}, here(), at);
  for (const fn of viewers) attempt(() => fn(at));
};

/** Begins a page view of where the document is, or again of what was viewed. */
export const beginHere = (): void => {
  const to = address();
  routeKey = to.key_;
  begin(view ?? to, viewTitle);
};

/** Finishes the page view and begins it anew, as someone else. */
export const reset = (): void => {
  finishNow(VIEW_LEFT);
  flush();
  replace();
  if (view) beginHere();
};

/** Goes to an address: a new page view, or what a redirect makes of the last one. */
export const arrive = (to: Address, kind: string, title?: string): void => {
  if (!view) return;
  if (to.url && now() - since <= REDIRECT && (kind == 'replace' || (kind == 'push' && inputAt <= since)) && isOpen(viewEvent)) {
    view = to;
    viewTitle = title;
    viewEvent.data = { url: to.url };
    setHere(to.url);
    // The landing page of a session is where its redirects ended.
    change((session) => {
      if (session.p == 1) session.u = withClickId(here(), session.k);
    });
  } else {
    finishNow(VIEW_LEFT);
    begin(to, title);
  }
};

const takeSnapshot = (): void => {
  const tab = thisTab();
  if (!hiddenAt || !tab) return;
  const waiting = take();
  // They stay in the queue as well.
  putFirst(waiting);
  const at = hiddenAt;
  const events = [...waiting, ...seal(finish(false, DOCUMENT_LEFT, at))];
  if (!events[0]) return;
  const b = batchOf(events);
  if (keep({ b, at, t: tab })) snapshot = b.batch_id;
};

/** The page lives on, and speaks for itself. */
const dropSnapshot = (): void => {
  if (!snapshot) return;
  if (!isKept(snapshot)) {
    // Another tab took this one for dead, and sent what was in it.
    take();
    finish(true, DOCUMENT_LEFT, 0);
  }
  drop(snapshot);
  snapshot = undefined;
};

const hide = (): void => {
  if (!view || hiddenAt) return;
  hiddenAt = Date.now();
  if (matchMedia('(hover:hover)').matches) {
    hiddenTimer = later(() => {
      finishNow(HIDDEN);
      flush();
    }, MAX_HIDDEN);
  } else {
    // Phones kill hidden pages without a word.
    finishNow(HIDDEN);
    leave();
  }
  takeSnapshot();
};

const show = (isRestored?: boolean): void => {
  clearTimeout(hiddenTimer);
  dropSnapshot();
  hiddenAt = undefined;
  takeOver();
  if (isRestored || !view) beginHere();
};

export const startPages = (): void => {
  packers.push(() => {
    readTitle();
    if (!snapshot) return;
    // What is sent now must not be sent again by the snapshot.
    dropSnapshot();
    later(takeSnapshot, 0);
  });
  takeOver();
  onRoute((kind) => {
    const to = address();
    // Routers replace the state of a page's entry all the time, also where the site gave the page another name.
    if (to.key_ != routeKey && to.key_ != view?.key_) arrive(to, kind);
    routeKey = to.key_;
  });
  on('visibilitychange', () => {
    if (document.hidden) hide();
    // A page out of the back/forward cache is told so only after it was told to be visible.
    else later(show, 0);
  });
  on('pagehide', () => {
    if (!view) return;
    dropSnapshot();
    finishNow(DOCUMENT_LEFT);
    leave(isLeavingToOwn());
  });
  on<PageTransitionEvent>('pageshow', (event) => event.persisted && show(true));
  let movedAt = 0;
  onInput('pointerdown keydown pointermove wheel touchmove', ({ type }) => {
    const at = now();
    if (/down/.test(type)) {
      inputAt = at;
      stay();
    }
    // Written every few seconds at most, as input is frequent.
    if (at - movedAt < TOUCH || !view || !here()) return;
    movedAt = at;
    // Goes on, in a new session if the old one is over.
    const last = session().l;
    if (touch(true)) {
      finishNow(VIEW_LEFT, last);
      beginHere();
    }
  });
  if (!document.hidden) beginHere();
};
