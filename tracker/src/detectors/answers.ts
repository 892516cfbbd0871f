// What answers a click: anything that happens in the page and is not there for its own sake.

import { isTextField } from '../elements';
import { attempt, closest, guard, ignored, now, on, targetOf } from '../kit';
import type { Chain } from './chain';
import { letGo, lookAfter } from './phantoms';

/** The chains that are not judged yet. */
export const open: Chain[] = [];

export let pressedAt: number;
/** Since when the page is watched. */
let opened: number;
let observer: MutationObserver | undefined;

/** Notes an answer to the clicks that are judged. */
const answer = (at: number, fits?: (chain: Chain) => unknown): void => {
  for (const chain of open) if (!fits || fits(chain)) chain.answers_.push(at);
};

/** When nodes changed without being asked: clocks, animations. */
const ticks = new WeakMap<Node, number[]>();

const isTicking = (node: Node, at: number): boolean => {
  const known = ticks.get(node) ?? [];
  const last = known[known.length - 1]!;
  if (known[3] && last - known[0]! >= 1500) return last < opened;
  // What changes right after a press may be its answer.
  if (at - pressedAt > 500) ticks.set(node, [...known, at]);
  return false;
};

/** Notes what the records answer. */
const judge = (records: MutationRecord[]): void => {
  const at = now();
  lookAfter();
  if (records.length > 300) return answer(at);
  for (const record of records) {
    const { target } = record;
    const nodes = [...record.addedNodes, ...record.removedNodes] as Element[];
    const element = (target.nodeType == 1 ? target : (target.parentElement ?? (target as ShadowRoot).host)) as Element | undefined;
    const isList = record.type == 'childList';
    if (
      !element ||
      closest(element, 'head,script,style,' + ignored) ||
      (isList && nodes.every((node) => node.matches?.('script,style,link,meta,' + ignored))) ||
      (!nodes.some((node) => node.nodeType == 1) && isTicking(element, at))
    )
      continue;
    answer(at, (chain) => {
      if (!chain.control_.contains(element)) return true;
      // An empty ripple.
      if (isList) return nodes.some((node) => node.textContent?.trim() || node.matches?.('svg,img') || node.querySelector?.('svg,img'));
      if (!/^(class|style)$/.test(record.attributeName!)) return true;
      // An effect that is over soon, or an answer that stays: known at the next press, or at the judgement.
      if (!chain.effects_[0]) chain.judgeSoon_();
      chain.effects_.push(record);
      chain.effectAt_ = at;
    });
  }
};

/** Decides on the changes inside the control: those that stayed are an answer. */
export const settleEffects = (chain: Chain): void => {
  flushRecords();
  const effects = chain.effects_;
  const isFirst = (record: MutationRecord): boolean =>
    effects.find((other) => other.target == record.target && other.attributeName == record.attributeName) == record;
  if (effects.some((record) => isFirst(record) && ((record.target as Element).getAttribute(record.attributeName!) ?? '') != (record.oldValue ?? '')))
    chain.answers_.push(chain.effectAt_);
  chain.effects_ = [];
};

export const flushRecords = (): void => {
  const records = observer?.takeRecords();
  if (records?.[0]) judge(records);
};

const observeFrom = (root: Node): void => observer!.observe(root, { subtree: true, childList: true, characterData: true, attributeOldValue: true });

/** Watches the page from a press on. */
export const watch = (event: PointerEvent, target: Element, timeStamp: number): void => {
  pressedAt = timeStamp;
  if (!observer) {
    const { Zone } = window as any;
    opened = pressedAt;
    // A patched observer would set off change detection at each record.
    observer = new ((Zone && (window as any)[Zone.__symbol__('MutationObserver')]) || MutationObserver)(guard(judge)) as MutationObserver;
    observeFrom(document);
  }
  // Most ways lead through no shadow root.
  if (target != event.target) for (const root of event.composedPath() as Node[]) if (root.nodeType == 11) observeFrom(root);
};

/** Judges a chain no longer, and watches no more once nothing is left to judge. */
export const close = (chain: Chain): void => {
  const index = open.indexOf(chain);
  if (index >= 0) open.splice(index, 1);
  letGo(chain.control_);
  if (open[0]) return;
  observer?.disconnect();
  observer = undefined;
};

/** Starts to listen for all that is no mutation. */
export const listenForAnswers = (): void => {
  on(
    'input change submit toggle beforetoggle invalid copy cut paste play pause fullscreenchange beforeprint dragstart contextmenu pagehide visibilitychange',
    (event) => answer(event.timeStamp),
  );
  // A click focuses the control, or what it is in.
  on('focusin', (event) =>
    answer(event.timeStamp, (chain) => isTextField(targetOf(event)) || !(chain.control_.contains(targetOf(event)) || targetOf(event).contains(chain.control_))),
  );
  on('blur', (event) => event.target == window && answer(event.timeStamp, (chain) => event.timeStamp - chain.last_ <= 1000));
  on('scroll', (event) => answer(event.timeStamp, (chain) => (chain.hasScrolled_ ||= event.timeStamp - chain.last_ <= 300)));
  const move = (event: any): void => answer(event.timeStamp, (chain) => !chain.isAnchor_ || event.hashChange === false);
  const { navigation } = window as any;
  if (navigation) on('navigate', move, navigation);
  on('popstate', move);
  attempt(() => {
    const original = window.open;
    window.open = function (this: unknown, ...args) {
      attempt(() => answer(now()));
      return original.apply(this as Window, args);
    };
  });
};
