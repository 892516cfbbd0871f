// Addresses as they are sent: without host, query, fragment, and what looks like a secret in the path.

import { attempt } from './guard';
import { isOn, list, matching } from './settings';
import { maskEmails } from './text';

const MAX_URL = 2048;
const MAX_UTM = 512;

/** Words and short numbers, as in `25-things-you-should-know`: what people write, however long. */
const SLUG = /^(([a-z]{1,20}|[a-z]{0,3}\d{1,4}[a-z]{0,2})([-_.]+|$))+$/i;

const cleanSegment = (segment: string): string => {
  const text = attempt(() => decodeURIComponent(segment)) ?? segment;
  return /@|^eyJ[\w-]+\.|^[\da-f]{8}-([\da-f]{4}-){3}/i.test(text) || (text.length > 19 && /\d/.test(text) && /[a-z]/i.test(text) && !SLUG.test(text))
    ? '*'
    : segment;
};

const cleanPath = (path: string): string => matching('mask', path) ?? path.split('/').map(cleanSegment).join('/');

export interface Address {
  /** As it is sent. */
  url: string;
  /** What tells one page from the next, before anything is masked. */
  key_: string;
  path_: string;
}

export const address = (href = location.href): Address => {
  const { pathname, searchParams, hash } = new URL(href, location.href);
  // The part of a hash that names a route, if it does: never its query.
  const [route] = isOn('hash', /^#!?\//.test(hash) ? '' : undefined) ? hash.slice(1).split(/[?&]/) : [''];
  const write = (path: typeof cleanPath, value: typeof cleanSegment): string => {
    const query = list('params').flatMap((name) => (searchParams.has(name) ? `${name}=${encodeURIComponent(value(searchParams.get(name)!))}` : []));
    return path(pathname) + (query[0] ? `?${query.join('&')}` : '') + (route && `#${path(route)}`);
  };
  return { path_: pathname, key_: write(String, String), url: write(cleanPath, cleanSegment).slice(0, MAX_URL) };
};

/** Where the visitor came from: origin and path, nothing for this site's own pages. */
export const referrer = (): string | undefined => {
  const [, origin, path] = /^((?:https?|android-app):\/\/[^/?#]*)([^?#]*)/.exec(document.referrer) ?? [];
  return origin && origin != location.origin ? (origin + cleanPath(path!)).slice(0, MAX_URL) : undefined;
};

export type Campaign = Record<string, string>;

/** The campaign's parameters of the landing page, from its query or its hash route's. */
export const campaign = (): Campaign => {
  const found: Campaign = {};
  new URLSearchParams(`${location.hash.split('?')[1]}&${location.search.slice(1)}`).forEach((value, name) => {
    if (/^utm_(source|medium|campaign|term|content)$/.test(name) && value) found[name] = maskEmails(value).slice(0, MAX_UTM);
  });
  return found;
};

/** The page that is being viewed, as it is sent. */
export let here: string;

/** Names the page that is being viewed. */
export const setHere = (url: string): void => {
  here = url;
};
