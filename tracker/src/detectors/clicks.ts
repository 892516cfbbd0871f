// Dead clicks, that nothing answers, and rage clicks, of someone who expected an answer.

import { controlOf, covers, factsOf, hadSelection, hasSelection, isTextField, listedOf, listenForSelections, looksInteractive } from '../elements';
import { DEAD, RAGE, changeSoon, closest, count, detect, hear, here, ignored, later, now, on, onView, quota, read } from '../kit';
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

/** Inside of these a click may well do nothing that can be seen. */
const EXEMPT = 'option,canvas,video,audio,iframe,embed,object,[contenteditable]:not([contenteditable=false])';
/** What a press asks for: most are inside of nothing of it, which is known at once. */
const ASKED = `a,label,[data-identity-mask],${EXEMPT},${ignored}`;

/** A link that leads somewhere: what it does is not seen here. */
const leadsSomewhere = (link: Element): unknown => {
  const href = read(link, 'href')?.trim();
  if (link.matches('[download],[target]:not([target=""],[target=_self])')) return true;
  if (!href || /^javascript:/i.test(href)) return false;
  const [page, fragment] = new URL(href, document.baseURI).href.split('#');
  return page != document.URL.split('#')[0] || fragment == null || /^!?\//.test(fragment) || (fragment && document.getElementById(decodeURIComponent(fragment)));
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
  if (!open.includes(chain)) return;
  settleEffects(chain);
  const clicks = chain.clicks_;
  if (!clicks.some((click, index) => clicks[index + 2]! - click <= 1000) || unanswered(clicks, chain.answers_) < 2) return;
  if (chain.hasScrolled_ || hasSelection() || (chain.isExempt_ && !isDisabled(chain))) return;
  close(chain);
  if (mayRage() && detect('rage_click', { ...chain.facts_(), clicks: clicks.length }, chain.url_, chain.at_)) count(RAGE);
};

const judgeDead = (chain: Chain): void => {
  if (current == chain) current = undefined;
  if (!open.includes(chain)) return;
  settleEffects(chain);
  close(chain);
  if (!chain.wants_.some((wants) => wants()) || chain.answers_[0] || (document.URL != chain.href_ && !chain.isAnchor_) || hasSelection()) return;
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
  listenForSelections();
  on('pagehide', cutShort);
  onView(cutShort);
  on('focus visibilitychange', (event) => {
    if ((event.target == window || event.target == document) && !document.hidden) wokenAt = event.timeStamp;
  });

  hear<PointerEvent>('pointerdown', (event, target_) => {
    pressed = undefined;
    if (!event.isPrimary || event.button) return;
    const asked = closest(target_, ASKED);
    if (closest(asked, ignored)) return;
    const listed = listedOf(target_);
    const control_ = controlOf(target_, listed);
    const { timeStamp } = event;
    watch(event, target_, timeStamp);
    if (current?.control_ == control_ && timeStamp - current.last_ <= CHAIN_GAP && (isNear(current, event, NEAR) || isInside(current, event))) {
      settleEffects(current);
    } else {
      const link = closest(asked, 'a');
      const leads = link && leadsSomewhere(link);
      const judgeSoon_ = (): void => {
        const { last_ } = chain;
        const left = chain.heardAt_ + CHAIN_GAP - now();
        if (left > 0) later(() => chain.last_ == last_ && judgeRage(chain), left);
      };
      const label = closest(asked, 'label') as HTMLLabelElement | undefined;
      const chain: Chain = (current = {
        control_,
        target_,
        clicks_: [],
        wants_: [],
        last_: timeStamp,
        heardAt_: 0,
        answers_: hadSelection() ? [timeStamp] : [],
        effects_: [],
        effectAt_: 0,
        isExempt_:
          leads ||
          isTextField(label?.control ?? control_) ||
          ['html', 'body'].includes(target_.localName) ||
          closest(asked, EXEMPT),
        isAnchor_: link && !leads,
        facts_: factsOf(control_, !!listed && !asked),
        url_: here(),
        href_: document.URL,
        at_: Date.now(),
        x_: event.clientX,
        y_: event.clientY,
        judgeSoon_,
      });
      open.push(chain);
    }
    pressed = current;
    press(pressed, timeStamp);
  });

  hear<PointerEvent>('pointerup', (event, target) => {
    const chain = pressed;
    if (!chain || !event.isPrimary) return;
    const { timeStamp } = event;
    const isOver = chain.control_ == target || chain.control_.contains(target);
    const phantom = release(chain, event, isOver, () => {
      flushRecords();
      return timeStamp - pressedAt <= 1000 && isNear(chain, event, 10);
    });
    if (phantom) {
      close(chain);
      pressed = current = undefined;
      if (mayBePhantom()) detect('phantom_click', phantom, chain.url_, chain.at_);
      return;
    }
    const at = now();
    chain.last_ = timeStamp;
    chain.heardAt_ = at;
    const isClick = isOver || isInside(chain, event);
    if (isClick) chain.clicks_.push(timeStamp);
    if (chain.clicks_[2] || chain.effects_[0]) chain.judgeSoon_();
    // That is made within two seconds, which is soon enough to set the timer: here it would keep the page waiting.
    changeSoon((session) => {
      if (isClick) session.c++;
      later(() => chain.last_ == timeStamp && judgeDead(chain), at + ANSWER_TIME - now());
    });
  });

  hear('pointercancel', () => {
    if (pressed && !pressed.clicks_[0]) close(pressed);
    pressed = undefined;
  });

  hear<MouseEvent>('click', (event) => {
    const chain = pressed;
    const since = wokenAt;
    pressed = undefined;
    // The event can be asked later, the page can't.
    if (chain && !chain.isExempt_ && !isDisabled(chain))
      chain.wants_.push(
        () =>
          event.detail &&
          !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) &&
          event.timeStamp - since > 1000 &&
          isNear(chain, event, 10),
      );
  });
};
