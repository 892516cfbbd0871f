// Phantom clicks: presses whose control moved, vanished or took another's place while the finger was on its way.

import { type Facts, controlOf, covers, factsOf, hasSelection, looksInteractive } from '../elements';
import { type Entry, attempt, closest, hear, ignored, now, observe, on } from '../kit';
import type { Chain } from './chain';

/** A person can't react to what moved so shortly before. */
const REACTION = 250;

/** The last layout shifts. They keep no element: what they name of one is gone with it. */
let shifts: Entry[] = [];
let catchUpShifts: (() => void) | undefined;
/** What a press was aimed at, if not at what was pressed. */
let aimed: ReturnType<Facts> | undefined;
let rect: DOMRect;
/** When the press was handled, which a busy page does late. */
let handledAt: number;
let goneAt: number;
let isSpoilt = false;
let subject: Element | undefined;
/** What was pressed last, held for as long as its chain is. */
let lastControl: Element | WeakRef<Element> | undefined;
/** Where a mouse rested last, and since when something else has been under it. */
let rest: { x_: number; y_: number; at_: number; control_: WeakRef<Element> } | undefined;
let overAt: number;

const isShown = (element: Element): boolean => element.isConnected && (element as any).checkVisibility?.() !== false;

const isAt = (control: Element, x: number, y: number): boolean => covers(control.getBoundingClientRect(), x, y);

/** The control that lay under the pointer until a moment ago. */
const shiftedAway = ({ x_, y_, control_ }: Chain, at: number): ReturnType<Facts> | undefined => {
  const isOther = (other: Element, under = other): boolean =>
    !other.contains(control_) && looksInteractive(other, under) && !closest(other, ignored) && !isAt(other, x_, y_);
  catchUpShifts?.();
  for (const { startTime, hadRecentInput, sources } of shifts) {
    if (at - startTime > REACTION || startTime > at) continue;
    for (const { previousRect: was, currentRect: is } of sources) {
      const under = covers(was, x_, y_) && document.elementFromPoint(x_ + is.left - was.left, y_ + is.top - was.top);
      const other = under && controlOf(under);
      if (other && !control_.contains(other) && isOther(other, under) && !(hadRecentInput && (lastControl == other || (lastControl as WeakRef<Element>)?.deref?.() == other))) return factsOf(other)();
    }
  }
  if (!rest || at - overAt > REACTION || overAt <= rest.at_ || at - rest.at_ < REACTION || Math.hypot(rest.x_ - x_, rest.y_ - y_) > 3) return;
  const other = rest.control_.deref();
  return other?.isConnected && isOther(other) ? factsOf(other)() : undefined;
};

/** Notes a press. */
export const press = (chain: Chain, timeStamp: number): void => {
  subject = chain.control_;
  handledAt = now();
  goneAt = 0;
  isSpoilt = false;
  rect = subject.getBoundingClientRect();
  aimed = timeStamp == chain.last_ ? attempt(() => shiftedAway(chain, timeStamp)) : undefined;
  // What was pressed there counts once.
  rest = undefined;
  lastControl = subject;
};

/** Holds what was pressed no longer. */
export const letGo = (control: Element): void => {
  if (lastControl == control) lastControl = new WeakRef(control);
};

/** Notes when what is pressed vanishes. */
export const lookAfter = (): void => {
  if (subject && !goneAt && !isShown(subject)) goneAt = now();
};

/**
 * Why a press that ends here, over its control or not, was a phantom click, with what it was aimed at; undefined if it was none.
 * `isTap` catches up with what changed meanwhile, and says whether the press was short and ends near where it began.
 */
export const release = (chain: Chain, event: PointerEvent, isOver: boolean, isTap: () => boolean): Record<string, unknown> | undefined => {
  const { control_, facts_ } = chain;
  // Still there: nothing to measure, which would have the page laid out.
  const isPhantom = (aimed || !isOver || !control_.isConnected) && isTap();
  subject = undefined;
  if (!isPhantom || isSpoilt || document.URL != chain.href_ || control_.matches('canvas,html,body') || hasSelection()) return;
  const { clientX: x, clientY: y } = event;
  if (aimed) return { ...aimed, reason: 'shifted' };
  if (isShown(control_)) {
    const is = control_.getBoundingClientRect();
    return covers(is, x, y) || Math.hypot(is.left - rect.left, is.top - rect.top) < 8 ? undefined : { ...facts_(), reason: 'moved' };
  }
  const under = document.elementFromPoint(x, y);
  const other = under && controlOf(under);
  // What is gone is no longer shown in capitals.
  const told = (facts: Facts): string => JSON.stringify(facts()).toLowerCase();
  const isReplaced = other?.localName == control_.localName && told(factsOf(other!)) == told(facts_);
  return isReplaced || (goneAt || now()) - handledAt >= 50 ? { ...facts_(), reason: 'gone' } : undefined;
};

export const listenForShifts = (): void => {
  catchUpShifts = observe('layout-shift', (entry) => {
    shifts = [...shifts.slice(-4), entry];
  });
  on('input change submit scroll dragstart', () => {
    isSpoilt = true;
    rest = undefined;
  });
  hear<PointerEvent>('gotpointercapture pointerover pointermove', (event, target) => {
    const { type } = event;
    if (event.pointerType != 'mouse') rest = undefined;
    else if (/over/.test(type)) overAt = event.timeStamp;
    else if (/move/.test(type))
      rest = {
        x_: event.clientX,
        y_: event.clientY,
        at_: event.timeStamp,
        control_: rest?.control_.deref()?.contains(target) ? rest.control_ : new WeakRef(controlOf(target)),
      };
    else isSpoilt = true;
  });
};
