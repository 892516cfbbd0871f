// What the owner and the visitor allow: where it runs, and where it may keep something.

import { isOn, setting } from './settings';
import type { Mode } from './storage';

const isLocal = (host: string): boolean => /^(localhost|127\..*|\[::1]|.*\.local|)$/.test(host);

/** Whether it runs on this page at all. */
export const mayRun = (): unknown =>
  (window == top || isOn('frames')) &&
  (!isLocal(location.hostname) || isLocal(setting('endpoint').hostname) || isOn('local')) &&
  !(isOn('dnt') && (navigator.doNotTrack as any) == 1);

/** Whether the visitor objects to being followed: Global Privacy Control. */
export const objects = (): boolean => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl!;

/** Where ids may be kept. */
export const allowedMode = (): Mode => (objects() && setting('storage') != 'none' ? 'session' : (setting('storage') ?? 'local'));
