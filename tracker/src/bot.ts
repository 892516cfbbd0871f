// Whether a program drives this browser. A visitor over 40 is left out of every figure for ever, so no guess alone gets there.

const isMarked = (scope: object): boolean =>
  Object.getOwnPropertyNames(scope).some((name) => /^(callPhantom|_phantom|__nightmare|domAutomation|Cypress|\$cdc_.*|__selenium_unwrapped)$/.test(name));

export const botScore = (): number =>
  navigator.webdriver || isMarked(window) || isMarked(document)
    ? 100
    : (navigator.languages?.length ? 0 : 30) + (outerWidth || outerHeight || document.hidden ? 0 : 30);
