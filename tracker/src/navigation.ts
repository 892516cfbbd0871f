// Where the page goes: routes within the document, and what document comes next.

import { matching } from './settings';
import { attempt, now, on, onInput } from './guard';

/** A click answered by a slower server is not recognized, which costs one batch. */
const MAX_WAIT = 10_000;

interface Leaving {
  url: string;
  at: number;
  /** The click, which the page may still prevent. */
  event?: Event;
}

let leaving: Leaving | undefined;

const note = (url: string, event?: Event): void => {
  leaving = { url, at: now(), ...(event && { event }) };
};

/** Whether the page is being left for another of this site's, which will run the tracker as well. */
export const isLeavingToOwn = (): boolean => {
  const last = leaving;
  // The page may come back, out of the back/forward cache.
  leaving = undefined;
  if (!last || last.event?.defaultPrevented || now() - last.at > MAX_WAIT) return false;
  const { origin, pathname } = new URL(last.url, location.href);
  const isFile = /\.(?!html?$|php$|aspx?$|jsp$)[a-z\d]{2,5}$/i.test(pathname);
  return origin == location.origin && !isFile && !matching('exclude', pathname);
};

type Navigation = EventTarget;
type NavigateEvent = Event & {
  destination: { url: string; sameDocument: boolean };
  downloadRequest?: string | null;
  formData?: FormData | null;
};

/** Calls back once the document's address changed, with how: `push`, `replace` or something else. */
export const onRoute = (fn: (kind: string) => void): void => {
  // Whoever goes on using the page has not left it: it was a download.
  onInput('pointerdown keydown', () => {
    leaving = undefined;
  });
  const { navigation } = window as unknown as { navigation?: Navigation };
  if (navigation) {
    on<NavigateEvent>(navigation, 'navigate', ({ destination, downloadRequest, formData }) => {
      // What is posted may go on to a payment provider: those events are sent, not left to a next page.
      if (!destination.sameDocument) leaving = undefined;
      if (!destination.sameDocument && downloadRequest == null && !formData) note(destination.url);
    });
    on<Event & { navigationType: string | null }>(navigation, 'currententrychange', ({ navigationType }) => {
      leaving = undefined;
      if (navigationType) fn(navigationType);
    });
    return;
  }
  onInput<MouseEvent>('click', (event) => {
    const link = (event.composedPath()[0] as Element).closest?.('a[href]');
    const isOwnTab = link && !event.ctrlKey && !event.metaKey && !event.shiftKey && /^(_self)?$/.test(link.getAttribute('target') ?? '');
    if (isOwnTab && !link.hasAttribute('download')) note((link as HTMLAnchorElement).href, event);
  });
  onInput('submit', (event) => {
    const form = event.target as Element;
    if (!/post/i.test(form.getAttribute('method') ?? '')) note(form.getAttribute('action') ?? '', event);
  });
  for (const [name, kind] of [
    ['pushState', 'push'],
    ['replaceState', 'replace'],
  ] as const) {
    attempt(() => {
      const original = history[name];
      history[name] = function (this: History, ...args) {
        original.apply(this, args);
        attempt(() => fn(kind));
      };
    });
  }
  on(window, 'popstate hashchange', () => fn(''));
};
