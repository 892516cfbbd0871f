// Whether a content blocker hides what looks like an advertisement.

import { later } from './guard';

let bait: HTMLElement | undefined;

/** Puts out the bait; blockers' generic rules take a moment to reach it. */
export const layBait = (): void => {
  later(() => {
    bait = document.createElement('div');
    bait.className = 'ad ads adsbox ad-banner';
    bait.setAttribute('data-identity-ignore', '');
    // By the object model, as a content security policy may forbid style attributes.
    bait.style.cssText = 'position:absolute;left:-99px;height:9px';
    // Beside the body: frameworks own what is inside it.
    document.documentElement.append(bait);
  }, 1500);
};

/** 1 or 0; undefined where the bait was not out. */
export const checkBait = (): number | undefined => {
  const found = bait && +!bait.offsetHeight;
  bait?.remove();
  bait = undefined;
  return found;
};
