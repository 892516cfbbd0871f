// What an element is called, and what it does: its control, a selector that groups, and its label.

import { attempt } from './guard';
import { scrub } from './text';

const CONTROLS =
  'a,button,input,select,textarea,summary,label,[role=button],[role=link],[role=tab],[role=menuitem],[role=option],[role=switch],[role=checkbox],[role=radio],[onclick],[tabindex]';

export const ignored = '[data-identity-ignore]';

/** The element's parent, across open shadow roots. */
const above = (element: Element): Element | null => element.parentElement ?? ((element.getRootNode() as ShadowRoot).host || null);

/** `closest` across open shadow roots. */
export const closest = (element: Element | null | undefined, selector: string): Element | undefined => {
  for (let at = element; at; at = (at.getRootNode() as ShadowRoot).host) {
    const found = at.closest(selector);
    if (found) return found;
  }
  return;
};

const isPointed = (element: Element): boolean => getComputedStyle(element).cursor == 'pointer';

/** The control that an element is (in); itself if in none. */
export const controlOf = (element: Element): Element => {
  const listed = closest(element, CONTROLS);
  if (listed) return listed;
  let control = element;
  for (let at: Element | null = element, steps = 0; at && steps++ < 5 && isPointed(at); at = above(at)) control = at;
  return control;
};

/** Whether an element looks as if a click did something. */
export const looksInteractive = (control: Element, target: Element): boolean => {
  const { width, height } = target.getBoundingClientRect();
  return (
    control.matches(CONTROLS) ||
    isPointed(target) ||
    /underline/.test(getComputedStyle(target).textDecorationLine) ||
    (/^(img|svg|picture)$/i.test(target.tagName) && width >= 24 && height >= 24) ||
    /(^|[-_\s])(btn|button|cta|link|tab|chip|badge|card)([-_\s]|$)/.test(target.getAttribute('class') ?? '')
  );
};

export const targetOf = (event: Event): Element => event.composedPath()[0] as Element;

export const isField = (element: Element): boolean =>
  element.matches('textarea,select,input:not([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio],[type=hidden])');

/** Classes of a state, or that a build made up: they would tell apart what is one element. */
const UNSTABLE = /\d{3}|[:[/]|[a-z]\d[a-z]|\d[a-z]\d|^(is|has)-|(^|[-_])(active|open|hover|focus|selected|disabled)$/i;

const partOf = (element: Element): string => {
  const tag = element.localName;
  const read = (name: string): string | null => element.getAttribute(name);
  for (const name of ['data-testid', 'data-test', 'data-cy', 'data-qa']) if (read(name)) return `[${name}=${read(name)}]`;
  const id = read('id');
  if (id && !/:|\d{3}|[\da-f]{8}-/.test(id)) return `#${id}`;
  if (/^(input|button|select|textarea)$/.test(tag)) for (const name of ['type', 'name']) if (read(name)) return `${tag}[${name}=${read(name)}]`;
  const classes = (read('class') ?? '').split(/\s+/).filter((name) => name && !UNSTABLE.test(name));
  return [tag, ...classes.slice(0, 2)].join('.');
};

/** A selector for what an element is among others: rows of a list share it. */
export const selectorOf = (element: Element): string => {
  let selector = partOf(element);
  for (let at = above(element); at && !/^[#[]/.test(selector); at = above(at)) {
    const part = partOf(at);
    const isLandmark = at.matches('form,nav,header,main,footer,aside,dialog');
    if (!isLandmark && !/^[#[]/.test(part)) continue;
    selector = `${isLandmark && part[0] == '#' ? at.localName : ''}${part}${at.getRootNode() == element.getRootNode() ? ' ' : ' >> '}${selector}`;
    break;
  }
  return scrub(selector, 256);
};

/** A control's own label: never what a visitor typed, nor the text of what is no control. */
export const textOf = (control: Element): string | undefined => {
  const read = (name: string): string | null => control.getAttribute(name);
  if (closest(control, '[data-identity-mask]') || !(control.matches(CONTROLS) || isPointed(control))) return;
  const isButton = control.matches('input[type=button],input[type=submit],input[type=reset]');
  const hasOwn = !isField(control) && (control.textContent ?? '').length <= 200 && !control.querySelector('input,select,textarea,[contenteditable],[data-identity-mask]');
  const text = read('aria-label') || (isButton && read('value')) || (hasOwn && (control as HTMLElement).innerText) || read('alt') || read('title');
  return (text && attempt(() => scrub(text, 100))) || undefined;
};
