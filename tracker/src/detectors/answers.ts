// What answers a click: anything that happens in the page and is not there for its own sake.

import { closest, ignored, isField, targetOf } from '../elements';
import { attempt, guard, now, on } from '../guard';

/** Clicks on one control in quick succession, and what happened since the first was pressed. */
export interface Chain {
  control: Element;
  target: Element;
  /** When it was first pressed; each press's release. */
  since: number;
  clicks: number[];
  /** Instants of answers. */
  answers: number[];
  /** The attributes inside the control that changed, as they were. */
  effects: Map<Element, Map<string, string | null>>;
  /** The last of those changes. */
  effectAt: number;
  /** A link within the page: going there changes the address, and nothing else. */
  isAnchor: boolean;
  hasScrolled: boolean;
  isCandidate: boolean;
  selector: string;
  text: string | undefined;
  url: string;
  href: string;
  at: number;
  x: number;
  y: number;
}

/** The chains that are not judged yet. */
export const open = new Set<Chain>();

let pressedAt = 0;
let observer: MutationObserver | undefined;
const watchers: (() => void)[] = [];

/** Calls back whenever the page changed while a click is judged. */
export const onMutation = (fn: () => void): void => {
  watchers.push(fn);
};

export const answer = (at = now(), fits: (chain: Chain) => unknown = () => true): void => {
  for (const chain of open) if (fits(chain)) chain.answers.push(at);
};

/** Nodes that change without being asked: clocks, animations. */
const tickers = new WeakMap<Node, { count: number; first: number; last: number }>();

const isTicking = (node: Node, at: number): boolean => {
  const ticker = tickers.get(node) ?? { count: 0, first: at, last: at };
  const known = ticker.count >= 4 && ticker.last - ticker.first >= 1500;
  // What changes right after a press may be its answer.
  if (!known && at - pressedAt > 500) {
    ticker.count++;
    ticker.last = at;
    if (ticker.count == 1) ticker.first = at;
    tickers.set(node, ticker);
  }
  return known && ticker.last < opened;
};
let opened = 0;

const isEmpty = (node: Node): boolean => !node.textContent?.trim() && !((node as Element).matches?.('svg,img') || (node as Element).querySelector?.('svg,img'));

/** Notes what the records answer. */
const judge = (records: MutationRecord[]): void => {
  const at = now();
  for (const fn of watchers) fn();
  if (records.length > 300) return answer(at);
  for (const { type, target, attributeName, oldValue, addedNodes, removedNodes } of records) {
    const nodes = [...addedNodes, ...removedNodes];
    const element = (target.nodeType == 1 ? target : target.parentElement ?? (target as ShadowRoot).host) as Element | undefined;
    if (!element || closest(element, `head,script,style,${ignored}`)) continue;
    const isList = type == 'childList';
    if (isList && nodes.every((node) => (node as Element).matches?.(`script,style,link,meta,${ignored}`))) continue;
    if (!(isList && nodes.some((node) => node.nodeType == 1)) && isTicking(element, at)) continue;
    answer(at, (chain) => {
      if (!chain.control.contains(element)) return true;
      if (isList) return !nodes.every(isEmpty);
      if (!/^(class|style)$/.test(attributeName ?? '')) return true;
      // An effect that is over soon, or an answer that stays: known at the next press, or at the judgement.
      const before = chain.effects.get(element) ?? new Map<string, string | null>();
      if (!before.has(attributeName!)) before.set(attributeName!, oldValue);
      chain.effects.set(element, before);
      chain.effectAt = at;
      return false;
    });
  }
};

/** Decides on the changes inside the control: those that stayed are an answer. */
export const settleEffects = (chain: Chain): void => {
  flushRecords();
  for (const [element, before] of chain.effects) {
    for (const [name, value] of before) if ((element.getAttribute(name) ?? '') != (value ?? '')) chain.answers.push(chain.effectAt);
  }
  chain.effects.clear();
};

export const flushRecords = (): void => {
  const records = observer?.takeRecords();
  if (records?.length) judge(records);
};

/** Watches the page from a press on. */
export const watch = (event: PointerEvent): void => {
  const zone = (window as any).Zone;
  // A patched observer would set off change detection at each record.
  const Observer: typeof MutationObserver = (zone && (window as any)[zone.__symbol__('MutationObserver')]) || MutationObserver;
  if (!observer) opened = event.timeStamp;
  observer ??= new Observer(guard(judge));
  pressedAt = event.timeStamp;
  for (const root of [document, ...event.composedPath()]) {
    if (root == document || root instanceof ShadowRoot) {
      observer.observe(root as Node, { subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true });
    }
  }
};

/** Watches no more once nothing is left to judge. */
export const unwatch = (): void => {
  if (open.size) return;
  observer?.disconnect();
  observer = undefined;
};

/** Starts to listen for all that is no mutation. */
export const listenForAnswers = (): void => {
  on(
    window,
    'input change submit toggle beforetoggle invalid copy cut paste play pause fullscreenchange beforeprint dragstart contextmenu pagehide visibilitychange',
    ({ timeStamp }) => answer(timeStamp),
  );
  on(window, 'focusin', (event) => {
    const target = targetOf(event);
    // A click focuses the control, or what it is in.
    answer(event.timeStamp, ({ control }) => isField(target) || !(control.contains(target) || target.contains(control)));
  });
  on(window, 'blur', (event) => {
    if (event.target == window) answer(event.timeStamp, ({ clicks }) => event.timeStamp - clicks[clicks.length - 1]! <= 1000);
  });
  on(window, 'scroll', ({ timeStamp }) =>
    answer(timeStamp, (chain) => {
      const isClose = timeStamp - (chain.clicks[chain.clicks.length - 1] ?? timeStamp) <= 300;
      chain.hasScrolled ||= isClose;
      return isClose;
    }),
  );
  const { navigation } = window as any;
  if (navigation) on<Event & { hashChange: boolean }>(navigation, 'navigate', ({ timeStamp, hashChange }) => answer(timeStamp, ({ isAnchor }) => !(isAnchor && hashChange)));
  on(window, 'popstate', ({ timeStamp }) => answer(timeStamp, ({ isAnchor }) => !isAnchor));
  attempt(() => {
    const original = window.open;
    window.open = function (this: unknown, ...args) {
      attempt(answer);
      return original.apply(this as Window, args);
    };
  });
};

