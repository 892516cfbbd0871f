import { attempt } from '../guard';
import { list } from '../settings';
import { vitals } from './vitals';

/** Starts what the small script watches. */
export const lite = (): void => {
  if (!list('off').includes('vitals')) attempt(vitals);
};
