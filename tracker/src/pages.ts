// Page views: when one begins, what ends it, and what is said of it then.

import { type Address, address, here, setHere } from './address';
import { batchOf } from './batch';
import { attempt, later, now, on, onInput } from './guard';
import { change, count, renew, session, touch } from './identity';
import { isLeavingToOwn, onRoute } from './navigation';
import { type TrackedEvent, emit, isMuted, isOpen, mute, peek, sealAll, take } from './queue';
import { matching } from './settings';
import { drop, keep, thisTab } from './store';
import { scrub } from './text';
import { active, beforePacking, flush, flushIn, leave, takeOver } from './transport';

const FIRST_DELAY = 3000;
const DELAY = 15_000;
/** An address that is replaced this soon was a redirect. */
const REDIRECT = 1000;
/** The server's rule. */
const RAPID = 2000;
/** A tab that comes back within this goes on with its page view. */
const HIDDEN = 10 * 60_000;

interface View extends Address {
  event: TrackedEvent;
  since: number;
  title?: string | undefined;
}

/** Adds an event to those that finish a page view. */
export type Add = (name: string, data: Record<string, unknown>, url?: string) => void;

/**
 * Says what there is to say of a page view that is finished. `isFinal` is false for a snapshot, after which the view may go on;
 * `isLeft` is false where the page may only be hidden.
 */
type Finisher = (add: Add, isFinal: boolean, isLeft: boolean) => void;

let view: View | undefined;
/** The document's own address, which the view may be named differently than. */
let routeKey = '';
let inputAt = 0;
let hiddenAt: number | undefined;
let hiddenTimer: number | undefined;
/** The batch that speaks for this page if it is killed while hidden. */
let snapshot: string | undefined;
const finishers: Finisher[] = [];
const viewers: (() => void)[] = [];

export const onFinish = (fn: Finisher): void => {
  finishers.push(fn);
};

/** Calls back for each page view that begins. */
export const onView = (fn: () => void): void => {
  viewers.push(fn);
};

const hasHover = (): boolean => !!attempt(() => matchMedia('(hover: hover)').matches);

/** Read as late as can be: routers set it after the address. A counter of unread messages would make each title a new one. */
const readTitle = (): void => {
  if (view && isOpen(view.event)) view.event.data!.title ??= scrub(view.title ?? document.title.replace(/^\(\d+\+?\)\s*/, ''), 200) || undefined;
};

const finish = (isFinal: boolean, isLeft: boolean, add: Add): void => {
  readTitle();
  if (view && !isMuted()) for (const fn of finishers) attempt(() => fn(add, isFinal, isLeft));
};

/** Queues what there is to say of the page view, at the instant it was last visible. */
const finishNow = (isLeft: boolean, at = hiddenAt ?? Date.now()): void => {
  const url = here();
  finish(true, isLeft, (name, data, of = url) => emit(name, { ...data, url: of }, at));
};

const begin = (to: Address, title?: string): void => {
  mute(!!matching('exclude', to.path));
  setHere(to.url);
  const at = Date.now();
  let isFirst = false;
  let isRapid = false;
  if (!isMuted()) {
    change((session) => {
      isRapid = at - session.w <= RAPID;
      session.w = session.l = at;
      isFirst = !session.p++;
    });
    if (isRapid) count('rapid');
    flushIn(isFirst ? FIRST_DELAY : DELAY);
  }
  view = { ...to, since: now(), title, event: emit('page_view', { url: to.url }, at) };
  for (const fn of viewers) attempt(fn);
};

/** Begins a page view, in a new session if the last one is over. */
const beginHere = (): void => {
  const to = view ?? address(location.href);
  routeKey = address(location.href).key;
  if (!matching('exclude', to.path) && touch()) renew();
  begin(to, view?.title);
};

/** Finishes the page view and begins it anew, as someone else or in another session. */
export const restart = (become: () => void, at?: number): void => {
  finishNow(true, at);
  flush();
  become();
  if (view) begin(view, view.title);
};

/** Goes to an address: a new page view, the same one, or what a redirect makes of it. */
export const arrive = (to: Address, kind: string, title?: string, isForced = false): void => {
  if (!view || (to.key == view.key && to.url == view.url && !isForced)) return;
  const isRedirect =
    now() - view.since <= REDIRECT && (kind == 'replace' || (kind == 'push' && inputAt <= view.since)) && isOpen(view.event);
  if (isRedirect) {
    Object.assign(view, to);
    view.title = title;
    view.event.data = { url: to.url };
    setHere(to.url);
    // The landing page of a session is where its redirects ended.
    change((session) => {
      if (session.p == 1) session.u = to.url;
    });
    return;
  }
  finishNow(true);
  if (!matching('exclude', to.path) && touch()) {
    flush();
    renew();
  }
  begin(to, title);
};

/** Begins again after a stop. */
export const resume = (): void => {
  if (!document.hidden) beginHere();
};

const takeSnapshot = (): void => {
  if (!hiddenAt) return;
  const events = [...peek()];
  const at = hiddenAt;
  const url = here();
  finish(false, true, (name, data, of = url) => events.push({ name, created_at: at, data: { ...data, url: of } }));
  const tab = thisTab();
  if (!tab || !events.length) return;
  const batch = batchOf(sealAll(events));
  if (keep({ b: batch, at, t: tab })) snapshot = batch.batch_id;
};

/** The page lives on, and speaks for itself. */
const dropSnapshot = (): void => {
  if (snapshot && !drop(snapshot)) {
    // Another tab took this one for dead, and sent what was in it.
    take();
    finish(true, true, () => {});
  }
  snapshot = undefined;
};

const hide = (): void => {
  if (!view || hiddenAt) return;
  hiddenAt = Date.now();
  if (hasHover()) {
    hiddenTimer = later(() => {
      dropSnapshot();
      finishNow(false);
      flush();
    }, HIDDEN);
  } else {
    // Phones kill hidden pages without a word.
    finishNow(false);
    leave(false);
  }
  takeSnapshot();
};

const show = (): void => {
  clearTimeout(hiddenTimer);
  dropSnapshot();
  hiddenAt = undefined;
  if (!view) beginHere();
};

/** Goes on after input, in a new session if the old one is over. */
const noteInput = (): void => {
  if (!view || isMuted()) return;
  const last = session().l;
  if (touch()) restart(renew, last);
  active();
};

export const startPages = (): void => {
  beforePacking(() => {
    readTitle();
    if (!snapshot) return;
    // What is sent now must not be sent again by the snapshot.
    dropSnapshot();
    later(takeSnapshot, 0);
  });
  takeOver();
  onRoute((kind) => {
    const to = address(location.href);
    // Routers replace the state of a page's entry all the time, also where the site gave the page another name.
    if (to.key != routeKey) arrive(to, kind);
    routeKey = to.key;
  });
  on(document, 'visibilitychange', () => {
    if (document.hidden) hide();
    // A page out of the back/forward cache is told so only after it was told to be visible.
    else later(show, 0);
  });
  on(window, 'pagehide', () => {
    if (!view) return;
    dropSnapshot();
    finishNow(true);
    leave(isLeavingToOwn());
  });
  on<PageTransitionEvent>(window, 'pageshow', ({ persisted }) => {
    if (!persisted) return;
    clearTimeout(hiddenTimer);
    hiddenAt = undefined;
    takeOver();
    beginHere();
  });
  onInput('pointerdown keydown', () => {
    inputAt = now();
    noteInput();
  });
  let moved = 0;
  onInput('pointermove wheel touchmove', () => {
    if (now() - moved < 1000) return;
    moved = now();
    noteInput();
  });
  if (!document.hidden) beginHere();
};
