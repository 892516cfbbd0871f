// Phantom clicks: presses whose control moved, vanished or took another's place while the finger was on its way.

import { closest, controlOf, ignored, looksInteractive, selectorOf, targetOf, textOf } from '../elements';
import { attempt, now, on, onInput } from '../guard';
import { type Chain, flushRecords, onMutation } from './answers';

/** A person can't react to what moved so shortly before. */
const REACTION = 250;

interface Shift {
  at: number;
  hadInput: boolean;
  sources: { node: WeakRef<Element>; was: DOMRectReadOnly; is: DOMRectReadOnly }[];
}

interface Aim {
  selector: string;
  text: string | undefined;
}

let shifts: Shift[] = [];
let observer: PerformanceObserver | undefined;
let aimed: Aim | undefined;
let rect: DOMRect;
let pressedAt = 0;
/** When the press was handled, which a busy page does late. */
let handledAt = 0;
let goneAt = 0;
let spoilt = false;
let subject: Chain | undefined;
let lastControl: WeakRef<Element> | undefined;
/** Where a mouse rested last, and since when something else has been under it. */
let rest: { x: number; y: number; at: number; control: WeakRef<Element>; isUsed: boolean } | undefined;
let overAt = 0;

/** What the last phantom click was aimed at, if not at what was pressed. */
export const phantomOf = (): Aim | undefined => aimed;

const contains = ({ left, right, top, bottom }: DOMRectReadOnly, x: number, y: number): boolean => x >= left && x <= right && y >= top && y <= bottom;

const isShown = (element: Element): boolean => element.isConnected && (element as any).checkVisibility?.() !== false;

const aimAt = (control: Element): Aim => ({ selector: selectorOf(control), text: textOf(control) });

const add = (entries: PerformanceEntryList): void => {
  for (const { startTime, hadRecentInput, sources } of entries as any[]) {
    shifts = [
      ...shifts.slice(-4),
      {
        at: startTime,
        hadInput: hadRecentInput,
        sources: sources.filter(({ node }: any) => node).map(({ node, previousRect, currentRect }: any) => ({ node: new WeakRef(node.nodeType == 1 ? node : node.parentElement), was: previousRect, is: currentRect })),
      },
    ];
  }
};

/** The control that lay under the pointer until a moment ago. */
const shiftedAway = (chain: Chain, at: number): Aim | undefined => {
  const { x, y, control } = chain;
  if (observer) add(observer.takeRecords());
  for (const { at: shiftedAt, hadInput, sources } of shifts) {
    if (at - shiftedAt > REACTION || shiftedAt > at) continue;
    for (const { was, is } of sources) {
      if (!contains(was, x, y)) continue;
      const under = document.elementFromPoint(x + is.left - was.left, y + is.top - was.top);
      const other = under && controlOf(under);
      if (!other || other.contains(control) || control.contains(other) || !looksInteractive(other, under) || closest(other, ignored)) continue;
      if (!(hadInput && lastControl?.deref() == other) && !contains(other.getBoundingClientRect(), x, y)) return aimAt(other);
    }
  }
  const other = rest?.control.deref();
  const isStill = rest && !rest.isUsed && Math.hypot(rest.x - x, rest.y - y) <= 3 && at - rest.at >= REACTION;
  if (isStill && overAt > rest!.at && at - overAt <= REACTION && other?.isConnected && !other.contains(control) && looksInteractive(other, other)) return aimAt(other);
  return;
};

/** Notes a press. */
export const press = (chain: Chain, event: PointerEvent): void => {
  subject = chain;
  pressedAt = event.timeStamp;
  handledAt = now();
  goneAt = 0;
  spoilt = false;
  rect = chain.control.getBoundingClientRect();
  aimed = chain.clicks.length || event.timeStamp != chain.since ? undefined : attempt(() => shiftedAway(chain, pressedAt));
  if (rest) rest.isUsed = true;
  lastControl = new WeakRef(chain.control);
};

/** Why a press that ends here was a phantom click; undefined if it was none. */
export const release = (chain: Chain, { clientX: x, clientY: y, timeStamp }: PointerEvent): string | undefined => {
  flushRecords();
  subject = undefined;
  const { control, href } = chain;
  if (spoilt || Math.hypot(x - chain.x, y - chain.y) > 10 || timeStamp - pressedAt > 1000 || location.href != href || control.matches('canvas,html,body') || getSelection()?.isCollapsed === false) {
    aimed = undefined;
    return;
  }
  if (aimed) return 'shifted';
  if (isShown(control)) {
    const is = control.getBoundingClientRect();
    return !contains(is, x, y) && Math.hypot(is.left - rect.left, is.top - rect.top) >= 8 ? 'moved' : undefined;
  }
  const under = document.elementFromPoint(x, y);
  const other = under && controlOf(under);
  const isReplaced = other && other.localName == control.localName && selectorOf(other) == chain.selector && textOf(other) == chain.text;
  return isReplaced || (goneAt || now()) - handledAt >= 50 ? 'gone' : undefined;
};

export const listenForShifts = (): void => {
  attempt(() => {
    observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
  });
  onMutation(() => {
    if (subject && !goneAt && !isShown(subject.control)) goneAt = now();
  });
  on(window, 'input change submit scroll dragstart', () => {
    spoilt = true;
    rest = undefined;
  });
  onInput<PointerEvent>('gotpointercapture', ({ pointerType }) => {
    if (pointerType == 'mouse') spoilt = true;
  });
  onInput<PointerEvent>('pointerover', ({ timeStamp, pointerType }) => {
    if (pointerType == 'mouse') overAt = timeStamp;
  });
  onInput<PointerEvent>('pointermove', (event) => {
    const { clientX: x, clientY: y, timeStamp: at, pointerType } = event;
    const target = targetOf(event);
    if (pointerType != 'mouse') rest = undefined;
    else if (rest?.control.deref()?.contains(target)) Object.assign(rest, { x, y, at, isUsed: false });
    else rest = { x, y, at, control: new WeakRef(controlOf(target)), isUsed: false };
  });
};
