// Addresses as they are sent: without host, query, fragment, and what looks like a secret in the path.

import { quietly } from './quietly';
import { isOn, list, matching } from './settings';
import { maskEmails } from './text';

/** With an origin or a click id it must not be longer than 2,048. */
const MAX_URL = 1700;
const MAX_UTM = 512;

const cleanPart = (part: string): string => {
  const text = quietly(() => decodeURIComponent(part)) ?? part;
  // An e-mail address; or 20 and more characters with letters and digits, such as a UUID or a token, but not words and short
  // numbers, as in `25-things-you-should-know`: what people write, however long.
  return /@|^(?=.*\d)(?=.*[a-z])(?!(([a-z]{1,20}|[a-z]{0,3}\d{1,4}[a-z]{0,2})([-_.]+|$))+$).{20}/is.test(text) ? '*' : part;
};

export interface Address {
  /** As it is sent; nothing where the owner wants nothing measured. */
  url: string;
  /** What tells one page from the next, before anything is masked. */
  key_: string;
  /** Also where the protocol is none of the web's. */
  origin_: string;
}

const masked = (path: string): string => matching('mask', path) ?? path;

/** What is left of an address, once each of its parts was looked at. */
const clean = (address: string): string => address.replace(/[^/?&=#]+/g, cleanPart).slice(0, MAX_URL);

export const address = (href: any = location): Address => {
  const to = new URL(href, location as any);
  // Written anew, so that one page has one address.
  to.search = new URLSearchParams([...to.searchParams].filter(([name]) => list('params').includes(name)).sort()) as any;
  const { pathname, search, hash } = to;
  // The part of a hash that names a route, if it does: never its query.
  const route = isOn('hash', /^#!?\//.test(hash)) ? hash.slice(1).split(/[?&]/)[0] : '';
  const suffix = route && '#';
  return {
    origin_: to.protocol + '//' + to.host,
    key_: pathname + search + suffix + route,
    url: matching('exclude', pathname) ? '' : clean(masked(pathname) + search + suffix + (route && masked(route))),
  };
};

/** Where the visitor came from: origin and path, nothing for this site's own pages, nor where it is not told. */
export const referrer = (): string | undefined => {
  const { origin_, url } = address((document.referrer + '').split('?')[0]);
  return origin_ == location.origin ? undefined : origin_ + url;
};

export type Campaign = Record<string, string>;

/** The campaign's parameters of the landing page, from its query or its hash route's. */
export const campaign = (): Campaign => {
  const found: Campaign = {};
  new URLSearchParams(location.search + '&' + location.hash.split('?')[1]).forEach((value, name) => {
    if (/^utm_(source|medium|campaign|term|content)$/.test(name) && value) found[name] ??= maskEmails(value).slice(0, MAX_UTM);
  });
  return found;
};

/** What ad networks add to the address of a landing page, where it is there: its name alone, as its value may tell who clicked. */
export const clickId = (): string | undefined => /(?:^.|&)(gclid|[gw]braid|gad_source|msclkid|yclid)=/.exec(location.search)?.[1];

/** A landing page with the name of a click id in its query, from which the server knows a paid search. */
export const withClickId = (url: string, id: string | undefined): string =>
  id && url ? url.replace(/[?#]|$/, (end) => `?${id}${end == '?' ? '&' : end}`) : url;

let viewed: string;

/** The page that is being viewed, as it is sent; nothing where nothing is measured. */
export const here = (): string => viewed;

/** Names the page that is being viewed. */
export const setHere = (url: string): void => {
  viewed = url;
};
