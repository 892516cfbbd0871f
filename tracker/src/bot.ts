// Whether a program drives this browser. A visitor over 40 is left out of every figure for ever, so no guess alone gets there.

/** Names that programs leave behind; of the last one, which is longer, the beginning. */
const MARKS = /,(callPhantom|_phantom|__nightmare|domAutomation|__selenium_unwrapped|Cypress),|,\$cdc_/;

export const botScore = (): number => {
  // What both have of their own: a thousand names in one text, as that is quickly searched.
  const isMarked = (): boolean => MARKS.test(',' + [window, document].map(Object.getOwnPropertyNames as any) + ',');
  return navigator.webdriver || isMarked() ? 100 : (navigator.languages?.length ? 0 : 30) + (outerWidth || outerHeight || document.hidden ? 0 : 30);
};
