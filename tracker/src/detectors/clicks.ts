// Dead clicks, that nothing answers, and rage clicks, of someone who expected an answer.

import { controlOf, covers, factsOf, hasSelection, isTextField, looksInteractive } from '../elements';
import { DEAD, RAGE, changeSoon, closest, count, detect, here, ignored, later, on, onInput, onView, quota, read, targetOf } from '../kit';
import { close, flushRecords, listenForAnswers, open, pressedAt, settleEffects, watch } from './answers';
import type { Chain } from './chain';
import { listenForShifts, press, release } from './phantoms';

const ANSWER_TIME = 3000;
const CHAIN_GAP = 1000;
const NEAR = 30;

const mayBeDead = quota(10);
const mayRage = quota(5);
const mayBePhantom = quota(5);
let current: Chain | undefined;
/** The press that lasts. */
let pressed: Chain | undefined;
let wokenAt = -Infinity;
/** The last unanswered clicks on what does not look as if it did something. */
const quiet = new WeakMap<Element, number>();

/** A link that leads somewhere: what it does is not seen here. */
const leadsSomewhere = (link: Element): unknown => {
  const href = read(link, 'href')?.trim();
  if (link.matches('[download],[target]:not([target=""],[target=_self])')) return true;
  if (!href || /^javascript:/i.test(href)) return false;
  const [page, fragment] = new URL(href, document.baseURI).href.split('#');
  return page != location.href.split('#')[0] || fragment == null || /^!?\//.test(fragment) || (fragment && document.getElementById(decodeURIComponent(fragment)));
};

const isDisabled = (chain: Chain): boolean => chain.control_.matches(':disabled,[aria-disabled=true]');

/** Clicks without an answer: each burst of answers belongs to the earliest click of the last moments that has none. */
export const unanswered = (clicks: number[], answers: number[]): number => {
  const left = [...clicks];
  let burst = -Infinity;
  for (const at of answers.sort((a, b) => a - b)) {
    // The press, not the release, may have been what was answered.
    const index = left.findIndex((click) => click - at < 300 && at - click <= 1500);
    if (at - burst >= 30 && index >= 0) left.splice(index, 1);
    burst = at;
  }
  return left.length;
};

const judgeRage = (chain: Chain): void => {
  if (current == chain) current = undefined;
  if (!open.has(chain)) return;
  settleEffects(chain);
  const clicks = chain.clicks_;
  if (!clicks.some((click, index) => clicks[index + 2]! - click <= 1000) || unanswered(clicks, chain.answers_) < 2) return;
  if (chain.hasScrolled_ || hasSelection() || (chain.isExempt_ && !isDisabled(chain))) return;
  close(chain);
  if (mayRage() && detect('rage_click', { ...chain.facts_(), clicks: clicks.length }, chain.url_, chain.at_)) count(RAGE);
};

const judgeDead = (chain: Chain): void => {
  if (!open.has(chain)) return;
  settleEffects(chain);
  close(chain);
  if (!chain.isCandidate_ || chain.answers_[0] || (location.href != chain.href_ && !chain.isAnchor_) || hasSelection()) return;
  if (!looksInteractive(chain.control_, chain.target_) && !chain.clicks_[1]) {
    const last = quiet.get(chain.control_)!;
    quiet.set(chain.control_, chain.at_);
    if (!(chain.at_ - last <= 10_000)) return;
  }
  const facts = chain.facts_();
  if (mayBeDead(facts.selector) && detect('dead_click', facts, chain.url_, chain.at_)) count(DEAD);
};

const isInside = (chain: Chain, event: MouseEvent): boolean => covers(chain.control_.getBoundingClientRect(), event.clientX, event.clientY);

const isNear = (chain: Chain, event: MouseEvent, distance: number): boolean => Math.hypot(event.clientX - chain.x_, event.clientY - chain.y_) <= distance;

/** Closes the chains early: rage is judged by what is known, and nothing is called dead. */
const cutShort = (): void => {
  for (const chain of [...open]) {
    judgeRage(chain);
    close(chain);
  }
};

export const clicks = (): void => {
  listenForAnswers();
  listenForShifts();
  on('pagehide', cutShort);
  onView(cutShort);
  on('focus visibilitychange', (event) => {
    if ((event.target == window || event.target == document) && !document.hidden) wokenAt = event.timeStamp;
  });

  onInput<PointerEvent>('pointerdown', (event) => {
    const target_ = targetOf(event);
    pressed = undefined;
    if (!event.isPrimary || event.button || closest(target_, ignored)) return;
    const control_ = controlOf(target_);
    const { timeStamp } = event;
    watch(event);
    if (current?.control_ == control_ && timeStamp - current.last_ <= CHAIN_GAP && (isNear(current, event, NEAR) || isInside(current, event))) {
      settleEffects(current);
    } else {
      const link = closest(target_, 'a');
      const leads = link && leadsSomewhere(link);
      const label = closest(target_, 'label') as HTMLLabelElement | undefined;
      current = {
        control_,
        target_,
        clicks_: [],
        last_: timeStamp,
        answers_: hasSelection() ? [timeStamp] : [],
        effects_: [],
        effectAt_: 0,
        isExempt_:
          leads ||
          isTextField(label?.control ?? control_) ||
          target_.matches('html,body') ||
          closest(target_, 'option,canvas,video,audio,iframe,embed,object,[contenteditable]:not([contenteditable=false])'),
        isAnchor_: link && !leads,
        facts_: factsOf(control_),
        url_: here(),
        href_: location.href,
        at_: Date.now(),
        x_: event.clientX,
        y_: event.clientY,
      };
      open.add(current);
    }
    pressed = current;
    press(pressed, event);
  });

  onInput<PointerEvent>('pointerup', (event) => {
    const chain = pressed;
    if (!chain || !event.isPrimary) return;
    flushRecords();
    const { timeStamp } = event;
    const phantom = release(chain, event, timeStamp - pressedAt <= 1000 && isNear(chain, event, 10));
    if (phantom) {
      close(chain);
      pressed = current = undefined;
      if (mayBePhantom()) detect('phantom_click', phantom, chain.url_, chain.at_);
      return;
    }
    chain.last_ = timeStamp;
    if (chain.control_.contains(targetOf(event)) || isInside(chain, event)) {
      changeSoon((session) => session.c++);
      chain.clicks_.push(timeStamp);
    }
    const isLast = (): boolean => chain.last_ == timeStamp;
    later(() => {
      if (!isLast()) return;
      later(() => isLast() && judgeDead(chain), ANSWER_TIME - CHAIN_GAP);
      judgeRage(chain);
    }, CHAIN_GAP);
  });

  onInput('pointercancel', () => {
    if (pressed && !pressed.clicks_[0]) close(pressed);
    pressed = undefined;
  });

  onInput<MouseEvent>('click', (event) => {
    const chain = pressed;
    pressed = undefined;
    if (
      chain &&
      event.detail &&
      !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) &&
      event.timeStamp - wokenAt > 1000 &&
      isNear(chain, event, 10) &&
      !isDisabled(chain) &&
      !chain.isExempt_
    )
      chain.isCandidate_ = true;
  });
};
