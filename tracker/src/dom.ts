// How elements are read: by attributes, and across open shadow roots.

export const ignored = '[data-identity-ignore]';

/** Attributes, not properties: a form's are shadowed by its fields. */
export const read = (element: Element, name: string): string | null => element.getAttribute(name);

/** What an event happened to, also inside of shadow roots; documents have focus and keys, too. */
export const targetOf = (event: Event): Element => {
  const [target] = event.composedPath();
  return target instanceof Element ? target : document.documentElement;
};

/** `closest` across open shadow roots. */
export const closest = (element: Element | null | undefined, selector: string): Element | undefined =>
  element ? (element.closest(selector) ?? closest((element.getRootNode() as ShadowRoot).host, selector)) : undefined;
