import { useState } from 'preact/hooks';
import { shell as texts } from '../texts';
import { THEMES, choose, chosen, type Theme } from '../theme';
import { Icon } from './icons';

export const ThemeSwitch = () => {
  const [theme, setTheme] = useState(chosen);
  return (
    <label class="theme-switch">
      <Icon name="theme" />
      <span class="visually-hidden">{texts.theme}</span>
      <select
        value={theme}
        onChange={(event) => {
          const wanted = event.currentTarget.value as Theme;
          choose(wanted);
          setTheme(wanted);
        }}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {texts.themes[name]}
          </option>
        ))}
      </select>
    </label>
  );
};
