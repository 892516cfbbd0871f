import { first } from './first';
import { more } from './more';
import { start } from './start';

/** Starts all that watches the page. */
export const whole = (early: unknown[]): void => start({ ...first, ...more }, early);
