// Where the tracker may keep something: access only when needed and never without a net, as sandboxed frames throw.

import { attempt } from './guard';

export type Mode = 'local' | 'session' | 'none';

let mode: Mode = 'none';
let prefix = '';

/** Each project keeps to itself, so that two sites on one origin do not meet. */
export const storeFor = (key: string): void => {
  prefix = `identity.${key.slice(-6)}`;
};

export const storeIn = (where: Mode): void => {
  mode = where;
};

export const keepsFor = (): Mode => mode;

export const read = (name: string, where = mode): any =>
  where == 'none' ? undefined : attempt(() => JSON.parse(window[`${where}Storage`].getItem(prefix + name)!)) ?? undefined;

/** Writes a value, or removes it if there is none; whether that worked. */
export const write = (name: string, value?: unknown, where = mode): boolean =>
  where != 'none' &&
  !!attempt(() => {
    const area = window[`${where}Storage`];
    if (value === undefined) area.removeItem(prefix + name);
    else area.setItem(prefix + name, JSON.stringify(value));
    return true;
  });

/** The visitor's refusal is kept whatever the mode: it is the visitor's own wish. */
const REFUSAL = '.off';

export const isOptedOut = (): boolean => !!read(REFUSAL, 'local');

export const setOptedOut = (value: boolean): void => {
  write(REFUSAL, value || undefined, 'local');
};
