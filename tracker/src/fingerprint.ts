// A hash of the kind of device: the same for all phones of a model, language and time zone, so it names no one by itself.

import { attempt } from './guard';
import { hash128 } from './random';

export const fingerprint = (salt: string): string => {
  const { userAgent, languages, hardwareConcurrency, deviceMemory, maxTouchPoints, platform } = navigator as Navigator & {
    deviceMemory?: number;
  };
  const zone = attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const { width, height, colorDepth } = screen;
  return hash128(
    [salt, userAgent, languages, zone, width, height, colorDepth, devicePixelRatio, hardwareConcurrency, deviceMemory, maxTouchPoints, platform].join('|'),
  );
};
