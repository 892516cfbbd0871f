// A hash of the kind of device: the same for all phones of a model, language and time zone, so it names no one by itself.

import { attempt } from './guard';
import { hash128 } from './random';

let name: string | undefined;

/** The time zone. Asked for once: it takes a browser milliseconds to know. */
export const zone = (): string | undefined => (name ??= attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone));

export const fingerprint = (salt: string): string => {
  const device = navigator as Navigator & { deviceMemory?: number };
  return hash128(
    [
      salt,
      device.userAgent,
      device.languages,
      zone(),
      screen.width,
      screen.height,
      screen.colorDepth,
      devicePixelRatio,
      device.hardwareConcurrency,
      device.deviceMemory,
      device.maxTouchPoints,
      device.platform,
    ].join('|'),
  );
};
