// How a page was read: how far, how long, how fast.

import { attempt, change, finishers, hear, now, on, onView } from '../kit';

/** Without a sign of life for longer, nobody may be there. */
const MAX_GAP = 30_000;
/** Scroll events this close belong to one movement. */
const MOVEMENT = 150;
const MIN_TIME = 1000;
/** What makes a second report of one page view worth it. */
const MORE_TIME = 10_000;
const MORE_DEPTH = 10;
const MAX_HIDDEN = 30 * 60_000;

/** When the view began; later by the hours that it was hidden. */
let since: number;
let active: number;
/** The last sign of life; NaN while the page is hidden or in the background. */
let lastAt: number;
let hiddenAt: number | undefined;
let scroller: Element | undefined;
let bottom: number;
let moved: number;
let movedFor: number;
let lastY: number;
let lastScroll: number;
/** What was told of this view already. */
let toldActive: number;
let toldDepth: number;

const tick = (): void => {
  const at = now();
  active += Math.min(at - lastAt, MAX_GAP) || 0;
  lastAt = document.hidden || !document.hasFocus() ? NaN : at;
};

const root = (): Element => document.scrollingElement ?? document.documentElement;

const areaOf = (pane: Element): number => pane.clientWidth * pane.clientHeight;

const isLarge = (pane: Element): boolean => areaOf(pane) >= (innerWidth * innerHeight) / 2;

/** What scrolls here: the document, or an application's own pane. */
const mainScroller = (): Element => {
  if (scroller?.isConnected) return scroller;
  let at = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  if (root().scrollHeight > innerHeight + 1) at = null;
  while (at && !(at.scrollHeight > at.clientHeight + 1 && isLarge(at) && /auto|scroll/.test(getComputedStyle(at).overflowY))) at = at.parentElement;
  return at ?? root();
};

const depth = (): number => {
  const of = mainScroller();
  // The height is the last one: what loads while reading belongs to the page.
  return Math.min(100, Math.round((100 * Math.max(bottom, of.scrollTop + of.clientHeight, 0)) / of.scrollHeight)) || 0;
};

export const reading = (): void => {
  onView((at) => {
    since = at;
    // It may have begun a little before this was there.
    lastAt = document.hasFocus() ? now() + at - Date.now() : NaN;
    active = bottom = moved = movedFor = lastScroll = 0;
    toldActive = toldDepth = -Infinity;
    scroller = undefined;
    tick();
  });
  hear('pointerdown keydown pointermove wheel touchmove touchstart', tick);
  on('timeupdate focus blur', tick);
  on('visibilitychange', () => {
    tick();
    if (document.hidden) hiddenAt = Date.now();
    else if (hiddenAt) since += Math.max(0, Date.now() - hiddenAt - MAX_HIDDEN);
  });
  on('scroll', ({ target, timeStamp }) => {
    tick();
    const pane = target == document ? root() : (target as Element);
    if (pane != scroller) {
      if (!isLarge(pane) || (scroller?.isConnected && areaOf(scroller) > areaOf(pane))) return;
      scroller = pane;
      lastScroll = 0;
    }
    const { scrollTop } = pane;
    const gap = timeStamp - lastScroll;
    if (gap <= MOVEMENT) {
      moved += Math.abs(scrollTop - lastY);
      movedFor += gap;
    }
    lastY = scrollTop;
    lastScroll = timeStamp;
    bottom = Math.max(bottom, scrollTop + pane.clientHeight);
  });
  finishers.push((add, isFinal, _left, at) => {
    tick();
    const total = at - since;
    const reached = attempt(depth) ?? 0;
    if (total < MIN_TIME || (active - toldActive < MORE_TIME && reached - toldDepth < MORE_DEPTH)) return;
    if (isFinal) {
      toldActive = active;
      toldDepth = reached;
      change((session) => (session.d = Math.max(session.d, reached)));
    }
    add('reading_behavior', {
      scroll_depth: reached,
      active_time_ms: Math.round(Math.min(active, total)),
      total_time_ms: total,
      scroll_velocity: movedFor && Math.round((moved / movedFor) * 1000),
    });
  });
};
