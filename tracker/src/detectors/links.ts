// Which links and forms lead to another page of this site, for browsers that do not say so by themselves.

import { hear, leaveFor, read } from '../kit';

export const links = (): void => {
  if ('navigation' in window) return;
  hear<MouseEvent>('click', (event, target) => {
    const link = target.closest('a[href]:not([download],[target]:not([target=_self]))');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) leaveFor((link as HTMLAnchorElement).href, event);
  });
  hear('submit', (event) => {
    const form = event.target as Element;
    if (!form.matches('[method=post i]')) leaveFor(read(form, 'action') ?? '', event);
  });
};
