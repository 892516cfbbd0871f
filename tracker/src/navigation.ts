// Where the page goes: routes within the document, and what document comes next.

import { matching } from './settings';
import { attempt, now, on, onInput } from './guard';

/** A click answered by a slower server is not recognized, which costs one batch. */
const MAX_WAIT = 10_000;

/** Where the page is being left for, since when, and by which click, which the page may still prevent. */
let leavingTo: string | undefined;
let leavingAt = 0;
let cause: Event | undefined;

const note = (url?: string, event?: Event): void => {
  leavingTo = url;
  leavingAt = now();
  cause = event;
};

/** Whether the page is being left for another of this site's, which will run the tracker as well. */
export const isLeavingToOwn = (): boolean => {
  const to = leavingTo != null && !cause?.defaultPrevented && now() - leavingAt <= MAX_WAIT && new URL(leavingTo, location.href);
  // The page may come back, out of the back/forward cache.
  note();
  const isFile = (path: string): boolean => /\.(?!html?$|php$|aspx?$|jsp$)[a-z\d]{2,5}$/i.test(path);
  return to && to.origin == location.origin && !isFile(to.pathname) && !matching('exclude', to.pathname);
};

type NavigateEvent = Event & {
  destination: { url: string; sameDocument: boolean };
  downloadRequest?: string | null;
  formData?: FormData | null;
};

/** Calls back once the document's address may have changed, with how: `push`, `replace` or something else. */
export const onRoute = (fn: (kind: string) => void): void => {
  // Whoever goes on using the page has not left it: it was a download.
  onInput('pointerdown keydown', () => note());
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) {
    on<NavigateEvent>(navigation, 'navigate', ({ destination, downloadRequest, formData }) => {
      // What is posted may go on to a payment provider: those events are sent, not left to a next page.
      if (!destination.sameDocument) note(downloadRequest != null || formData ? undefined : destination.url);
    });
    on<Event & { navigationType: string | null }>(navigation, 'currententrychange', ({ navigationType }) => {
      note();
      if (navigationType) fn(navigationType);
    });
    return;
  }
  onInput<MouseEvent>('click', (event) => {
    const link = (event.composedPath()[0] as Element).closest?.('a[href]:not([download],[target]:not([target=_self]))');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) note((link as HTMLAnchorElement).href, event);
  });
  onInput('submit', (event) => {
    const form = event.target as Element;
    if (!form.matches('[method=post i]')) note(form.getAttribute('action') ?? '', event);
  });
  for (const kind of ['push', 'replace'] as const) {
    attempt(() => {
      const original = history[`${kind}State`];
      history[`${kind}State`] = function (this: History, ...args) {
        original.apply(this, args);
        attempt(() => fn(kind));
      };
    });
  }
  on(window, 'popstate hashchange', () => fn(''));
};
