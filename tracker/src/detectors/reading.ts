// How a page was read: how far, how long, how fast.

import { attempt, now, on } from '../guard';
import { change } from '../identity';
import { onFinish, onView } from '../pages';

/** Without a sign of life for longer, nobody may be there. */
const MAX_GAP = 30_000;
/** Scroll events this close belong to one movement. */
const MOVEMENT = 150;
const MIN_TIME = 1000;
/** What makes a second report of one page view worth it. */
const MORE_TIME = 10_000;
const MORE_DEPTH = 10;
const MAX_HIDDEN = 30 * 60_000;

let since = 0;
let hiddenAt: number | undefined;
let hiddenFor = 0;
let active = 0;
/** The last sign of life; none while the page is hidden or in the background. */
let lastAt: number | undefined;
let scroller: Element | undefined;
let bottom = 0;
let moved = 0;
let movedFor = 0;
let lastY = 0;
let lastScroll = 0;
let told: { active: number; depth: number } | undefined;

const isHere = (): boolean => !document.hidden && document.hasFocus();

const tick = (): void => {
  const at = now();
  if (lastAt != null) active += Math.min(at - lastAt, MAX_GAP);
  lastAt = isHere() ? at : undefined;
};

const root = (): Element => document.scrollingElement ?? document.documentElement;

const isLarge = ({ clientWidth, clientHeight }: Element): boolean => clientWidth * clientHeight >= (innerWidth * innerHeight) / 2;

/** What scrolls here: the document, or an application's own pane. */
const mainScroller = (): Element => {
  if (scroller?.isConnected) return scroller;
  if (root().scrollHeight > innerHeight + 1) return root();
  for (let at = document.elementFromPoint(innerWidth / 2, innerHeight / 2); at; at = at.parentElement) {
    if (at.scrollHeight > at.clientHeight + 1 && isLarge(at) && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return root();
};

const depth = (): number => {
  const of = mainScroller();
  const { scrollTop, clientHeight, scrollHeight } = of;
  // The height is the last one: what loads while reading belongs to the page.
  return Math.min(100, Math.max(0, Math.round((100 * Math.max(bottom, scrollTop + clientHeight)) / scrollHeight))) || 0;
};

export const reading = (): void => {
  onView(() => {
    since = now();
    hiddenFor = active = bottom = moved = movedFor = 0;
    hiddenAt = scroller = told = undefined;
    lastAt = isHere() ? since : undefined;
  });
  on(window, 'pointerdown pointermove keydown wheel touchstart touchmove timeupdate focus blur', tick);
  on(document, 'visibilitychange', () => {
    tick();
    if (document.hidden) hiddenAt = now();
    else if (hiddenAt) {
      hiddenFor += Math.max(0, now() - hiddenAt - MAX_HIDDEN);
      hiddenAt = undefined;
    }
  });
  on(window, 'scroll', ({ target, timeStamp }) => {
    tick();
    const pane = target == document ? root() : (target as Element);
    if (pane != scroller) {
      if (!isLarge(pane) || (scroller?.isConnected && scroller.clientHeight * scroller.clientWidth > pane.clientHeight * pane.clientWidth)) return;
      scroller = pane;
      lastScroll = 0;
    }
    const { scrollTop, clientHeight } = pane;
    const gap = timeStamp - lastScroll;
    if (gap <= MOVEMENT) {
      moved += Math.abs(scrollTop - lastY);
      movedFor += gap;
    }
    lastY = scrollTop;
    lastScroll = timeStamp;
    bottom = Math.max(bottom, scrollTop + clientHeight);
  });
  onFinish((add, isFinal) => {
    tick();
    const total = Math.round((hiddenAt ?? now()) - since - hiddenFor);
    const reached = attempt(depth) ?? 0;
    if (total < MIN_TIME || (told && active - told.active < MORE_TIME && reached - told.depth < MORE_DEPTH)) return;
    if (isFinal) {
      told = { active, depth: reached };
      change((session) => (session.d = Math.max(session.d, reached)));
    }
    add('reading_behavior', {
      scroll_depth: reached,
      active_time_ms: Math.round(Math.min(active, total)),
      total_time_ms: total,
      scroll_velocity: movedFor ? Math.round((moved / movedFor) * 1000) : 0,
    });
  });
};
