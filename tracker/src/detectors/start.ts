import { attempt } from '../guard';
import { list } from '../settings';

/** Starts one of the things that watch the page. `early` is what happened before the script came. */
export type Detector = (early: unknown[]) => void;

/** Starts detectors, by the name that `off` knows them by. */
export const start = (detectors: { [name: string]: Detector }, early: unknown[] = []): void => {
  for (const [name, detect] of Object.entries(detectors)) if (!list('off').includes(name)) attempt(() => detect(early));
};
