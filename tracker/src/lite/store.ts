// What this browser keeps: under the whole script's names, and in its forms.

import { allowedMode } from '../allowed';
import { quietly } from '../quietly';
import { setting } from '../settings';

/** The browser's storage, or what stands for it where it may not be used or is full. */
export let area: any = {};

const named = (name: string): string => 'identity.' + setting('key').slice(-6) + name;

export const write = (name: string, value: unknown): void => {
  const text = JSON.stringify(value);
  try {
    area[named(name)] = text;
  } catch {
    area = { [named(name)]: text };
  }
};

export const openStore = (): void => {
  // There is no `noneStorage`.
  area = quietly(() => (window as any)[allowedMode() + 'Storage']) ?? {};
};

export const read = (name: string): any => quietly(() => JSON.parse(area[named(name)] ?? null));

/** The visitor's refusal is kept whatever the mode: it is the visitor's own wish. */
export const isOptedOut = (): unknown => quietly(() => localStorage[named('.off')]);

export const clear = (): void => {
  delete area[named('')];
  delete area[named('.waiting')];
};

export const refuse = (does: 1 | ''): void => {
  localStorage[named('.off')] = does;
};
