// Whether a content blocker hides what looks like an advertisement.

import { change, later, packers, session } from '../kit';

/** Puts out a bait, unless the session has the answer, and looks at it with the next batch: blockers' generic rules take a moment. */
export const bait = (): void => {
  let lure: HTMLElement | undefined;
  later(() => {
    if (session().b != null) return;
    lure = document.createElement('div');
    lure.className = 'ad ads adsbox ad-banner';
    lure.setAttribute('data-identity-ignore', '');
    // By the object model, as a content security policy may forbid style attributes.
    lure.style.cssText = 'position:absolute;top:-99px;height:9px';
    // Beside the body: frameworks own what is inside it.
    document.documentElement.append(lure);
  }, 500);
  packers.push(() => {
    if (!lure) return;
    const found = +!lure.offsetHeight;
    lure.remove();
    lure = undefined;
    change((session) => (session.b = found));
  });
};
