// How elements are read: by attributes, and across open shadow roots.

export const ignored = '[data-identity-ignore]';

/** Attributes, not properties: a form's are shadowed by its fields. */
export const read = (element: Element, name: string): string | null => element.getAttribute(name);

/** What an event happened to, also inside of shadow roots; documents have focus and keys, too. */
export const targetOf = (event: Event): Element => {
  const { target } = event as any;
  // The way costs more to know, and begins somewhere else only inside of a shadow root.
  const inner = target.shadowRoot ? event.composedPath()[0] : target;
  return inner instanceof Element ? inner : document.documentElement;
};

/** `closest` across open shadow roots. */
export const closest = (element: Element | null | undefined, selector: string): Element | undefined =>
  element ? (element.closest(selector) ?? closest((element.getRootNode() as ShadowRoot).host, selector)) : undefined;
