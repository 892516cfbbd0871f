// Page views: when one begins, and what page comes next.

import { type Address, address } from '../address';
import { mayRun } from '../allowed';
import { quietly } from '../quietly';
import { isOfShare } from '../random';
import { setting } from '../settings';
import { maskEmails } from '../text';
import { drain } from './api';
import { type TrackedEvent, emit } from './events';
import { allow, isAllowed, person, renew } from './session';
import { isOptedOut } from './store';
import { flushIn, leave } from './transport';
import { report, startVitals } from './vitals';

/** The page that is viewed, as it is sent; nothing if the owner wants nothing measured there. */
export let here: string;
/** The view that is not told yet. */
let pending: TrackedEvent | undefined;
/** What tells the viewed page from others; nothing if it is to be viewed anew. */
let key: string | undefined;
/** When the page was left for another of this site's. */
export let leftAt: number;

/** Views an address. What was viewed less than a second ago was a redirect, or gets a name now. */
export const view = ({ url }: Address, title?: string): void => {
  leftAt = 0;
  if (!(Date.now() - pending?.created_at! < 1000)) settle();
  here = url;
  if (!pending) {
    renew();
    flushIn();
    pending = { name: 'page_view', created_at: Date.now(), data: undefined };
  }
  pending.data = { url, title };
};

/** Looks at the page after anything that may have changed what is viewed, by whom or whether at all. */
export const look = ({ type, destination, formData }: any = {}): unknown =>
  quietly(() => {
    // What is posted may go on to a payment provider: those events are sent, not left to a next page.
    if (destination) leftAt = destination.sameDocument || formData || new URL(destination.url).origin != location.origin || /\.pdf/.test(destination.url) ? 0 : Date.now();
    if (type == 'pagehide' || document.hidden) {
      quietly(report);
      leave();
      if (type == 'pagehide') key = undefined;
    } else {
      if (!person && isAllowed && mayRun() && !isOptedOut()) {
        renew();
        allow(isOfShare(person!.v, setting('sample')));
        key = undefined;
      }
      if (person) {
        const to = address();
        if ((Date.now() - person.l > 2000 && renew()) || key != to.key_) view(to);
        key = to.key_;
        startVitals();
        drain();
      }
    }
  });

/** Tells the view, as late as can be: routers set the title after the address. */
export const settle = (): void => {
  const event = pending;
  if (!event) return;
  pending = undefined;
  event.data.title ??= maskEmails(document.title + '').slice(0, 200);
  emit(event);
};

/** Looks at it from now on. */
export const watch = (): void => {
  const { navigation } = window as { navigation?: EventTarget & { currentEntry?: object } };
  'visibilitychange pagehide pageshow pointerdown keydown popstate navigate currententrychange'
    .split(' ')
    // In the capture phase, so that a page that stops propagation hides nothing.
    .map((type) => [window, navigation].map((target) => quietly(() => target!.addEventListener(type, look, true))));
  // The name may also be a page's own.
  if (!navigation?.currentEntry)
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name];
      history[name] = function (this: History, ...args) {
        original.apply(this, args);
        look();
      };
    }
};
