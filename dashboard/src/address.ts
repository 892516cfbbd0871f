// The address holds all of the page's state: what is shown, of which project and days, filtered how. It is the part after `#`,
// so that it never reaches a server: `#/sessions/ses_1?project=demo&range=7d`.

import { useEffect, useState } from 'preact/hooks';

export interface Address {
  /** Decoded: `['sessions', 'ses_1']`. Empty on the Overview. */
  path: string[];
  params: Record<string, string>;
}

/** What stays when one goes to another page. */
const KEPT = ['project', 'range', 'from', 'to'];

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export const parse = (hash: string): Address => {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  return { path: path.split('/').filter(Boolean).map(decode), params: Object.fromEntries(new URLSearchParams(query)) };
};

/** Left out are parameters without a value. */
export const format = ({ path, params }: { path: string[]; params: Record<string, string | undefined> }): string => {
  const query = new URLSearchParams(Object.entries(params).filter((entry): entry is [string, string] => !!entry[1]));
  return `#/${path.map(encodeURIComponent).join('/')}${query.size ? `?${query}` : ''}`;
};

const current = (): Address => parse(location.hash);

/** The address of another page, of the same project and days. */
export const hrefTo = (path: string[], params: Record<string, string | undefined> = {}): string => {
  const kept = Object.fromEntries(Object.entries(current().params).filter(([name]) => KEPT.includes(name)));
  return format({ path, params: { ...kept, ...params } });
};

/** The address of the same page with other parameters. What is chosen anew starts at the first of its rows. */
export const hrefWith = (changes: Record<string, string | undefined>): string => {
  const { path, params } = current();
  return format({ path, params: { ...params, page: undefined, ...changes } });
};

export const go = (href: string): void => {
  location.hash = href;
};

/** Goes there without a step for the back button. */
export const replace = (href: string): void => {
  history.replaceState(null, '', href);
  dispatchEvent(new HashChangeEvent('hashchange'));
};

export const useAddress = (): Address => {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const update = () => setHash(location.hash);
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  return parse(hash);
};
