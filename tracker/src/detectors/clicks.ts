// Dead clicks, that nothing answers, and rage clicks, of someone who expected an answer.

import { closest, controlOf, ignored, isField, looksInteractive, selectorOf, targetOf, textOf } from '../elements';
import { here } from '../address';
import { later, on, onInput } from '../guard';
import { DEAD, RAGE, change, count } from '../identity';
import { onView } from '../pages';
import { detect } from '../queue';
import { type Chain, listenForAnswers, open, settleEffects, unwatch, watch } from './answers';
import { listenForShifts, phantomOf, press, release } from './phantoms';

const ANSWER_TIME = 3000;
const CHAIN_GAP = 1000;
const NEAR = 30;
const MAX = { dead_click: 10, rage_click: 5, phantom_click: 5 };

let found: { [name: string]: number } = {};
let seen = new Set<string>();
let current: Chain | undefined;
/** The press that lasts. */
let pressed: Chain | undefined;
let wokenAt = -Infinity;
/** The last unanswered click on what does not look as if it did something. */
let quiet: { control: WeakRef<Element>; at: number } | undefined;

const report = (name: keyof typeof MAX, deed: number | undefined, chain: Chain, more: Record<string, unknown> = {}): void => {
  found[name] = (found[name] ?? 0) + 1;
  if (found[name]! > MAX[name]) return;
  const { selector, text, at, url } = chain;
  if (detect(name, { selector, text, ...more }, at, url) && deed) count(deed);
};

/** A link that leads somewhere: what it does is not seen here. */
const leadsSomewhere = (link: Element): boolean => {
  const href = link.getAttribute('href')?.trim();
  if (link.hasAttribute('download') || /^(?!_self$)./.test(link.getAttribute('target') ?? '')) return true;
  if (!href || /^javascript:/i.test(href)) return false;
  const { hash, href: full } = new URL(href, document.baseURI);
  if (full.split('#')[0] != location.href.split('#')[0] || !full.includes('#')) return true;
  return /^#!?\//.test(hash) || (hash.length > 1 && !!document.getElementById(decodeURIComponent(hash.slice(1))));
};

/** Where a click may well do nothing that can be seen. */
const isExempt = (control: Element, target: Element): boolean => {
  const link = closest(target, 'a');
  const label = closest(target, 'label') as HTMLLabelElement | undefined;
  const field = label?.control ?? control;
  return (
    isField(field) ||
    !!closest(target, 'option,canvas,video,audio,iframe,embed,object,[contenteditable]:not([contenteditable=false])') ||
    target.matches('html,body') ||
    !!(link && leadsSomewhere(link))
  );
};

const hasSelection = (): boolean => getSelection()?.isCollapsed === false;

const isDisabled = (control: Element): boolean => control.matches(':disabled,[aria-disabled=true]');

/** Clicks without an answer: each burst of answers belongs to the earliest click of the last moments that has none. */
export const unanswered = (clicks: number[], answers: number[]): number => {
  const left = [...clicks];
  let burst = -Infinity;
  for (const at of [...answers].sort((a, b) => a - b)) {
    if (at - burst >= 30) {
      // The press, not the release, may have been what was answered.
      const index = left.findIndex((click) => click - at < 300 && at - click <= 1500);
      if (index >= 0) left.splice(index, 1);
    }
    burst = at;
  }
  return left.length;
};

const isQuick = (clicks: number[]): boolean => clicks.some((click, index) => clicks[index + 2]! - click <= 1000);

const judgeRage = (chain: Chain): void => {
  if (!open.has(chain)) return;
  settleEffects(chain);
  const { clicks, control, target, hasScrolled } = chain;
  if (current == chain) current = undefined;
  if (clicks.length < 3 || !isQuick(clicks) || unanswered(clicks, chain.answers) < 2) return;
  if (hasScrolled || hasSelection() || (isExempt(control, target) && !isDisabled(control))) return;
  close(chain);
  report('rage_click', RAGE, chain, { clicks: clicks.length });
};

const judgeDead = (chain: Chain): void => {
  if (!open.has(chain)) return;
  settleEffects(chain);
  close(chain);
  const { control, target, clicks, answers, selector } = chain;
  const isMoved = location.href != chain.href && !chain.isAnchor;
  if (!chain.isCandidate || answers.length || isMoved || hasSelection() || seen.has(selector)) return;
  if (!looksInteractive(control, target) && clicks.length < 2) {
    const isSecond = quiet?.control.deref() == control && chain.at - quiet.at <= 10_000;
    quiet = { control: new WeakRef(control), at: chain.at };
    if (!isSecond) return;
  }
  seen.add(selector);
  report('dead_click', DEAD, chain);
};

const close = (chain: Chain): void => {
  open.delete(chain);
  unwatch();
};

const isInside = ({ control }: Chain, { clientX, clientY }: PointerEvent): boolean => {
  const { left, right, top, bottom } = control.getBoundingClientRect();
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
};

const isNear = ({ x, y }: Chain, { clientX, clientY }: PointerEvent, distance: number): boolean => Math.hypot(clientX - x, clientY - y) <= distance;

/** Closes a chain early: rage is judged by what is known, and nothing is called dead. */
const cutShort = (): void => {
  for (const chain of [...open]) {
    judgeRage(chain);
    close(chain);
  }
  current = undefined;
};

export const clicks = (): void => {
  listenForAnswers();
  listenForShifts();
  on(window, 'pagehide', cutShort);
  onView(() => {
    cutShort();
    found = {};
    seen = new Set();
  });
  on(window, 'focus visibilitychange', ({ timeStamp, target }) => {
    if ((target == window || target == document) && !document.hidden) wokenAt = timeStamp;
  });

  onInput<PointerEvent>('pointerdown', (event) => {
    const target = targetOf(event);
    pressed = undefined;
    if (!event.isPrimary || event.button || closest(target, ignored)) return;
    const control = controlOf(target);
    const { timeStamp, clientX: x, clientY: y } = event;
    const isNext = current?.control == control && timeStamp - (current.clicks[current.clicks.length - 1] ?? current.since) <= CHAIN_GAP && (isNear(current, event, NEAR) || isInside(current, event));
    watch(event);
    if (isNext) {
      settleEffects(current!);
    } else {
      const link = closest(target, 'a');
      current = {
        control,
        target,
        since: timeStamp,
        clicks: [],
        answers: hasSelection() ? [timeStamp] : [],
        effects: new Map(),
        effectAt: 0,
        isAnchor: !!link && !leadsSomewhere(link),
        hasScrolled: false,
        isCandidate: false,
        selector: selectorOf(control),
        text: textOf(control),
        url: here,
        href: location.href,
        at: Date.now(),
        x,
        y,
      };
      open.add(current);
    }
    pressed = current;
    press(pressed!, event);
  });

  onInput<PointerEvent>('pointerup', (event) => {
    const chain = pressed;
    if (!chain || !event.isPrimary) return;
    const reason = release(chain, event);
    if (reason) {
      const aimed = phantomOf() ?? chain;
      close(chain);
      pressed = current = undefined;
      return report('phantom_click', undefined, { ...chain, ...aimed }, { reason });
    }
    const { timeStamp } = event;
    if (chain.control.contains(targetOf(event)) || closest(targetOf(event), '*') == chain.control || isInside(chain, event)) {
      change((session) => session.c++);
      chain.clicks.push(timeStamp);
      later(() => chain.clicks[chain.clicks.length - 1] == timeStamp && judgeRage(chain), CHAIN_GAP);
    }
    later(() => (chain.clicks[chain.clicks.length - 1] ?? timeStamp) == timeStamp && judgeDead(chain), ANSWER_TIME);
  });

  onInput('pointercancel', () => {
    if (pressed && !pressed.clicks.length) close(pressed);
    pressed = undefined;
  });

  onInput<MouseEvent>('click', (event) => {
    const chain = pressed;
    pressed = undefined;
    if (!chain || !event.detail || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const isAwake = event.timeStamp - wokenAt > 1000;
    if (isNear(chain, event as PointerEvent, 10) && isAwake && !isDisabled(chain.control) && !isExempt(chain.control, chain.target)) chain.isCandidate = true;
  });
};

