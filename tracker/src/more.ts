// Fetches the second script: what can begin to watch a little later would only keep the page waiting.

import { idle } from './guard';
import { list } from './settings';
// Every value of `kit.ts`, in an order that both scripts are built with.
import { kit } from 'kit:values';

/** The hash of the second script, which is built before this one: who trusts this one's bytes, or its hash, can trust those. */
declare const MORE_INTEGRITY: string;

/** What is worth fetching it. */
const DETECTORS = ['clicks', 'logs', 'forms', 'reading', 'seo'];

/** Fetches it from beside the first: `…/i.js` has `…/i-more.js`. Where that fails, the page goes without. */
export const fetchMore = (own: HTMLScriptElement): void => {
  const src = own.src.replace(/(?=\.js(\?|$))/, '-more');
  if (src == own.src || DETECTORS.every((name) => list('off').includes(name))) return;
  idle(() => {
    const script = Object.assign(document.createElement('script'), {
      kit,
      nonce: own.nonce,
      integrity: MORE_INTEGRITY,
      crossOrigin: '',
      // A page that demands trusted types can allow the policy.
      src: (window as any).trustedTypes?.createPolicy('identity', { createScriptURL: (url: string) => url }).createScriptURL(src) ?? src,
    });
    document.head.append(script);
    // It comes all the same, and leaves nothing behind.
    script.remove();
  });
};
