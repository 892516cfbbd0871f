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

export const chosen = (): Theme => THEMES.find((theme) => theme === stored()) ?? 'system';

const apply = (): void => {
  const theme = chosen();
  document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
};

export const choose = (theme: Theme): void => {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    document.documentElement.dataset.theme = theme;
    return;
  }
  apply();
};

export const start = (): void => {
  apply();
  dark.addEventListener('change', apply);
};
