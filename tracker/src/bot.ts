// Whether a program drives this browser. A visitor over 40 is left out of every figure for ever, so no guess alone gets there.

export const botScore = (): number => {
  const scope = window as unknown as Record<string, unknown>;
  const isDriven =
    navigator.webdriver ||
    ['callPhantom', '_phantom', '__nightmare', 'domAutomation', 'Cypress'].some((name) => scope[name]) ||
    Object.getOwnPropertyNames(document).some((name) => /^\$cdc_|^__selenium_unwrapped/.test(name));
  if (isDriven) return 100;
  let score = 0;
  if (!navigator.languages?.length) score += 30;
  if (!outerWidth && !outerHeight && !document.hidden) score += 30;
  return score;
};
