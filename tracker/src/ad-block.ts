// Whether a content blocker hides what looks like an advertisement.

import { later } from './guard';
import { change, session } from './identity';
import { packers } from './transport';

/** Puts out a bait, unless the session has the answer, and looks at it with the next batch: blockers' generic rules take a moment. */
export const layBait = (): void => {
  let bait: HTMLElement | undefined;
  later(() => {
    if (session().b != null) return;
    bait = document.createElement('div');
    bait.className = 'ad ads adsbox ad-banner';
    bait.setAttribute('data-identity-ignore', '');
    // By the object model, as a content security policy may forbid style attributes.
    bait.style.cssText = 'position:absolute;top:-99px;height:9px';
    // Beside the body: frameworks own what is inside it.
    document.documentElement.append(bait);
  }, 1500);
  packers.push(() => {
    if (!bait) return;
    const found = +!bait.offsetHeight;
    bait.remove();
    bait = undefined;
    change((session) => (session.b = found));
  });
};
