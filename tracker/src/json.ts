// JSON that the collector takes.

import { attempt } from './guard';

/**
 * JSON without lone surrogates, which `JSON.stringify` writes as escapes: the collector refuses a whole batch for one.
 * Escaped backslashes are matched too, so that a text that merely spells an escape stays as it is.
 */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(/\\(ud[89a-f]..|.)/gi, (escape) => (escape[2] ? '\ufffd' : escape));

/** Keys and items of a copy in all. */
const MAX_KEYS = 100;
const MAX_DEPTH = 5;
const MAX_TEXT = 1000;

/** A bounded copy of a site's data, of what JSON can say: whatever the site passes, this ends and does not throw. */
export const copy = (value: any, depth = MAX_DEPTH, left = [MAX_KEYS]): any =>
  attempt(() => {
    if (/^(string|bigint)$/.test(typeof value)) return `${value}`.slice(0, MAX_TEXT);
    if (!value || typeof value != 'object') return value;
    if (value.nodeType || depth < 0) return;
    if (value.toJSON) return copy(value.toJSON(), depth - 1, left);
    const object: any = Array.isArray(value) ? [] : {};
    for (const key of Object.keys(value)) {
      if (left[0]!-- > 0) object[key.slice(0, MAX_TEXT)] = attempt(() => copy(value[key], depth - 1, left));
    }
    return object;
  });
