// Addresses as they are sent: without host, query, fragment, and what looks like a secret in the path.

import { attempt } from './guard';
import { isOff, isOn, list, matching } from './settings';
import { maskEmails } from './text';

const MAX_URL = 2048;
const MAX_UTM = 512;

/** Words and short numbers, as in `25-things-you-should-know`: what people write, however long. */
const SLUG = /^([a-z]{1,20}|[a-z]{0,3}\d{1,4}[a-z]{0,2})([-_.]+([a-z]{1,20}|[a-z]{0,3}\d{1,4}[a-z]{0,2}))*$/i;

const cleanSegment = (segment: string): string => {
  const text = attempt(() => decodeURIComponent(segment)) ?? segment;
  const isSecret =
    /@|^eyJ[\w-]+\.|^[\da-f]{8}-([\da-f]{4}-){3}/i.test(text) ||
    (text.length > 19 && /\d/.test(text) && /[a-z]/i.test(text) && !SLUG.test(text));
  return isSecret ? '*' : segment;
};

export const cleanPath = (path: string): string =>
  matching('mask', path) ?? path.split('/').map(cleanSegment).join('/');

/** The part of a hash that names a route, if it does: never its query. */
const hashRoute = (hash: string): string =>
  !isOff('hash') && (isOn('hash') || /^#!?\//.test(hash)) ? hash.slice(1).split(/[?&]/)[0]! : '';

export interface Address {
  /** As it is sent. */
  url: string;
  /** What tells one page from the next, before anything is masked. */
  key: string;
  path: string;
}

export const address = (href: string): Address => {
  const { pathname, searchParams, hash } = new URL(href, location.href);
  const route = hashRoute(hash);
  const query = (clean: (value: string) => string): string =>
    list('params')
      .filter((name) => searchParams.has(name))
      .map((name) => `${name}=${encodeURIComponent(clean(searchParams.get(name)!))}`)
      .join('&')
      .replace(/^(?=.)/, '?');
  const suffix = route && '#';
  return {
    path: pathname,
    key: pathname + query(String) + suffix + route,
    url: (cleanPath(pathname) + query(cleanSegment) + suffix + cleanPath(route)).slice(0, MAX_URL),
  };
};

/** Where the visitor came from: origin and path, nothing for this site's own pages. */
export const referrer = (): string | undefined => {
  const from = document.referrer;
  if (/^android-app:/.test(from)) return from.split(/[?#]/)[0]!.slice(0, MAX_URL);
  const url = attempt(() => new URL(from));
  if (!url || !/^http/.test(url.protocol) || url.origin == location.origin) return;
  return (url.origin + cleanPath(url.pathname)).slice(0, MAX_URL);
};

export type Campaign = Record<string, string>;

/** The campaign's parameters of the landing page, from its query or its hash route's. */
export const campaign = (): Campaign => {
  const found: Campaign = {};
  for (const query of [location.hash.split('?')[1] ?? '', location.search]) {
    new URLSearchParams(query).forEach((value, name) => {
      if (/^utm_(source|medium|campaign|term|content)$/.test(name) && value) found[name] = maskEmails(value).slice(0, MAX_UTM);
    });
  }
  return found;
};

let current: string | undefined;

/** Names the page that is being viewed. */
export const setHere = (url: string): void => {
  current = url;
};

/** The page that is being viewed, as it is sent. */
export const here = (): string => current ?? address(location.href).url;
