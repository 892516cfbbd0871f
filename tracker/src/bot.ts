// Whether a program drives this browser. A visitor over 40 is left out of every figure for ever, so no guess alone gets there.

const MARK = /^(callPhantom|_phantom|__nightmare|domAutomation|Cypress|\$cdc_.*|__selenium_unwrapped)$/;

export const botScore = (): number =>
  navigator.webdriver || [window, document].some((scope) => Object.getOwnPropertyNames(scope).some((name) => MARK.test(name)))
    ? 100
    : (navigator.languages?.length ? 0 : 30) + (outerWidth || outerHeight || document.hidden ? 0 : 30);
