// What an element is called, and what it does: its control, a selector that groups, and its label.

import { closest, hostOf, on, read, scrub } from './kit';

const CONTROLS =
  'a,button,input,select,textarea,summary,label,[role=button],[role=link],[role=tab],[role=menuitem],[role=option],[role=switch],[role=checkbox],[role=radio],[onclick],[tabindex]';

/** What is filled in. */
export const FIELDS = 'textarea,select,input:not([type=button],[type=submit],[type=reset],[type=image],[type=hidden])';

const FIELD_TAGS = ['input', 'select', 'textarea'];

/** The element's parent, across open shadow roots. */
const above = (element: Element): Element | undefined => element.parentElement ?? hostOf(element);

const isPointed = (element: Element): boolean => getComputedStyle(element).cursor == 'pointer';

/** The control that an element is (in), of those that are known for controls. */
export const listedOf = (element: Element): Element | undefined => closest(element, CONTROLS);

/** The control that an element is (in); itself if in none. */
export const controlOf = (element: Element, listed = listedOf(element)): Element => {
  if (listed) return listed;
  let control = element;
  for (let at: Element | undefined = element, steps = 0; at && steps++ < 5 && isPointed(at); at = above(at)) control = at;
  return control;
};

/** Whether an element looks as if a click did something. */
export const looksInteractive = (control: Element, target: Element): boolean => {
  const isLarge = ({ width, height }: DOMRect): boolean => width >= 24 && height >= 24;
  return (
    control.matches(CONTROLS) ||
    isPointed(target) ||
    /underline/.test(getComputedStyle(target).textDecorationLine) ||
    (target.matches('img,svg,picture') && isLarge(target.getBoundingClientRect())) ||
    /(^|[-_\s])(btn|button|cta|link|tab|chip|badge|card)([-_\s]|$)/.test(read(target, 'class')!)
  );
};

/** Most elements are none, by their name. */
export const isField = (element: Element): boolean => FIELD_TAGS.includes(element.localName) && element.matches(FIELDS);

export const isTextField = (element: Element): boolean => isField(element) && !element.matches('[type=checkbox],[type=radio]');

/** Classes of a state, or that a build made up: they would tell apart what is one element. */
const UNSTABLE = /\d{3}|[:[/]|[a-z]\d[a-z]|\d[a-z]\d|^(is|has)-|(^|[-_])(active|open|hover|focus|selected|disabled)$/i;

const LANDMARKS = 'form,nav,header,main,footer,aside,dialog';
/** What a selector may begin with. */
const MARKED = LANDMARKS + ',[data-testid],[data-test],[data-cy],[data-qa],[id]';

const partOf = (element: Element, names = element.getAttributeNames()): string => {
  const tag = element.localName;
  for (const name of ['data-testid', 'data-test', 'data-cy', 'data-qa', 'id', 'type', 'name']) {
    // To ask for one that is not there costs as much.
    const value = names.includes(name) && read(element, name);
    if (!value) continue;
    if (name == 'id') {
      if (!/:|\d{3}|[\da-f]{8}-/.test(value)) return '#' + value;
    } else if (name.includes('-')) return '[' + name + '=' + value + ']';
    else if (/^(input|button|select|textarea)$/.test(tag)) return tag + '[' + name + '=' + value + ']';
  }
  return [tag, ...(read(element, 'class') ?? '').split(/\s+/).filter((name) => name && !UNSTABLE.test(name)).slice(0, 2)].join('.');
};

/** A selector for what an element is among others: rows of a list share it. As it is, not as it may be sent. */
const rawSelectorOf = (element: Element, names?: string[]): string => {
  const isUnique = (part: string): boolean => '#['.includes(part[0]!);
  const selector = partOf(element, names);
  for (let at: Element | undefined = element; !isUnique(selector) && (at = closest(above(at), MARKED)); ) {
    const part = partOf(at);
    const isLandmark = at.matches(LANDMARKS);
    if (isLandmark || isUnique(part))
      return (isLandmark && isUnique(part) ? at.localName : '') + part + (at.getRootNode() == element.getRootNode() ? ' ' : ' >> ') + selector;
  }
  return selector;
};

export const selectorOf = (element: Element): string => scrub(rawSelectorOf(element), 256);

/** The text in a control, or what gives it. */
const textIn = (control: HTMLElement): false | string | (() => string) => {
  if (control.firstElementChild && control.querySelector('input,select,textarea,[contenteditable],[data-identity-mask]')) return false;
  const text = control.textContent!;
  if (text.length > 200) return false;
  if (control.firstElementChild) return control.innerText;
  // How it is shown, in capitals perhaps, has the page laid out: where nothing of it can be hidden, that is asked when it is told.
  return text.trim() && (() => (control.textContent == text ? control.innerText : text));
};

/** A control's own label: never what a visitor typed, nor the text of what is no control. As it is, not as it may be sent. */
const rawTextOf = (control: Element, isPlain: boolean, names: string[]): ReturnType<typeof textIn> | null | undefined => {
  if (!isPlain && (closest(control, '[data-identity-mask]') || !(control.matches(CONTROLS) || isPointed(control)))) return;
  return (
    (names.includes('aria-label') && read(control, 'aria-label')) ||
    (control.localName == 'input' && control.matches('[type=button],[type=submit],[type=reset]') && read(control, 'value')) ||
    (!isField(control) && textIn(control as HTMLElement)) ||
    read(control, 'alt') ||
    read(control, 'title')
  );
};

/**
 * What an event tells of a control, which is a listed one and inside of nothing that masks it if it `isPlain`. It is looked at now,
 * as it may change, and made fit to be sent if it is: most clicks are not.
 */
export const factsOf = (control: Element, isPlain = false) => {
  const names = control.getAttributeNames();
  const selector = rawSelectorOf(control, names);
  const text = rawTextOf(control, isPlain, names);
  return () => ({ selector: scrub(selector, 256), text: scrub((typeof text == 'function' ? text() : text) || '', 100) || undefined });
};

export type Facts = ReturnType<typeof factsOf>;

/** Whether something is selected, outside of fields. To know it has the page laid out. */
export const hasSelection = (): boolean => getSelection()?.isCollapsed == false;

/** Whether nothing was selected when that was last looked at, and no selection has changed since. */
let isUnselected = false;

/** As `hasSelection`, without having the page laid out at each press. It is a moment behind, as selections are told of. */
export const hadSelection = (): boolean => !(isUnselected ||= !hasSelection());

export const listenForSelections = (): void =>
  on('selectionchange', () => {
    isUnselected = false;
  });

export const covers = ({ left, right, top, bottom }: DOMRectReadOnly, x: number, y: number): boolean => x >= left && x <= right && y >= top && y <= bottom;
