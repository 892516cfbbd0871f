// Where the page goes: routes within the document, and what document comes next.

import { address } from './address';
import { attempt, now, on } from './guard';

/** A page answered by a slower server is not recognized, which costs one batch. */
const MAX_WAIT = 10_000;

/** Whether the page is being left for another of this site's, which will run the tracker as well. */
let isOwn: (() => unknown) | undefined;

/** Notes that the page is being left, by a click perhaps, which the page may still prevent. */
export const leaveFor = (url: string, event?: Event): void => {
  const at = now();
  isOwn = () => {
    const to = new URL(url, location.href);
    const isFile = /\.(?!(html?|php|aspx?|jsp)$)[a-z\d]{2,5}$/i.test(to.pathname);
    return now() - at <= MAX_WAIT && !event?.defaultPrevented && to.origin == location.origin && !isFile && address(to).url;
  };
};

/** Forgets it: the page is used on, as what was followed was a download. */
export const stay = (): void => {
  isOwn = undefined;
};

export const isLeavingToOwn = (): unknown => {
  const is = isOwn?.();
  // The page may come back, out of the back/forward cache.
  stay();
  return is;
};

type NavigateEvent = Event & {
  destination: { url: string; sameDocument: boolean };
  downloadRequest?: string | null;
  formData?: FormData | null;
};

/** Calls back once the document's address may have changed, with how: `push`, `replace` or something else. */
export const onRoute = (fn: (kind: string) => void): void => {
  const { navigation } = window as { navigation?: EventTarget & { currentEntry?: object } };
  // The name may also be a page's own.
  if (navigation?.currentEntry) {
    on<NavigateEvent>(
      'navigate',
      (event) => {
        if (event.destination.sameDocument) return;
        // What is posted may go on to a payment provider: those events are sent, not left to a next page.
        if (event.formData || event.downloadRequest != null) stay();
        else leaveFor(event.destination.url);
      },
      navigation,
    );
    on<Event & { navigationType: string | null }>(
      'currententrychange',
      (event) => {
        stay();
        if (event.navigationType) fn(event.navigationType);
      },
      navigation,
    );
    return;
  }
  for (const kind of ['push', 'replace'] as const) {
    const name = (kind + 'State') as 'pushState';
    attempt(() => {
      const original = history[name];
      history[name] = function (this: History, ...args) {
        original.apply(this, args);
        attempt(() => fn(kind));
      };
    });
  }
  on('popstate hashchange', () => fn(''));
};
