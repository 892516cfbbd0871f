// How elements are read: by attributes, and across open shadow roots.

export const ignored = '[data-identity-ignore]';

/** Attributes, not properties: a form's are shadowed by its fields. */
export const read = (element: Element, name: string): string | null => element.getAttribute(name);

/** Whether anything happened inside of a shadow root yet. Else there is no need to look for one, at each look at an element. */
let isDeep: unknown;

/** What an event happened to, also inside of shadow roots; documents have focus and keys, too. */
export const targetOf = (event: Event): Element => {
  let { target } = event as any;
  // The way costs more to know, and begins somewhere else only inside of a shadow root.
  if (target.shadowRoot) {
    isDeep = true;
    [target] = event.composedPath();
  }
  return target.closest ? target : document.documentElement;
};

/** What an element's shadow root is of. A document has no host, but may have a form of that name. */
export const hostOf = (element: Element): Element | undefined => {
  const root = isDeep && element.getRootNode();
  return root instanceof ShadowRoot ? root.host : undefined;
};

/** `closest` across open shadow roots. */
export const closest = (element: Element | null | undefined, selector: string): Element | undefined =>
  element ? (element.closest(selector) ?? closest(hostOf(element), selector)) : undefined;
