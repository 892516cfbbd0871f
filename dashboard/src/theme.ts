// Dark and light: as the system has it, unless somebody chose.

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'identity-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** Storage may be forbidden. */
const stored = (): string | null => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

let theme: Theme = THEMES.find((name) => name === stored()) ?? 'system';

const apply = (): void => {
  document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
};

export const chosen = (): Theme => theme;

export const choose = (wanted: Theme): void => {
  theme = wanted;
  apply();
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It then holds until the page is loaded again.
  }
};

export const start = (): void => {
  apply();
  dark.addEventListener('change', apply);
};
