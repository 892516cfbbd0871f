// Where an error was thrown, in a form that is the same on each host that serves the build.

import { attempt } from '../guard';
import { scrub } from '../text';

/** A script's address: its path where it is the page's own, else its host too; never its query. */
export const sourceOf = (href: string | undefined): string | undefined => {
  const url = attempt(() => new URL(href!));
  return url && (url.origin == location.origin ? '' : url.host) + url.pathname;
};

const ADDRESS = /[a-z][\w+.-]*:\/\/[^\s()]+/gi;

/** Message text of at most 500 characters: addresses without query, numbers masked so that it groups. */
export const messageOf = (text: string): string => scrub(text.slice(0, 2000).replace(ADDRESS, (url) => url.split(/[?#]/)[0]!), 500, 4);

export const framesOf = (stack: unknown): string[] => String(stack ?? '').split('\n').filter((line) => /:\d+/.test(line));

export const stackOf = (stack: unknown): string | undefined =>
  framesOf(stack)
    .slice(0, 10)
    .map((line) => line.trim().slice(0, 500).replace(ADDRESS, (url) => url.replace(/^.*?(?=(:\d+)*$)/, (path) => sourceOf(path) ?? '')))
    .join('\n')
    .slice(0, 2000) || undefined;

export interface Place {
  source: string | undefined;
  line: unknown;
  column: unknown;
}

/** The address, line and column of a stack's first frame. */
export const placeOf = (stack: unknown): Place => {
  const [, source, line, column] = /([a-z][\w+.-]*:\/\/[^\s()]+?):(\d+):(\d+)/i.exec(stack as string) ?? [];
  return { source, line: line && +line, column: column && +column };
};

/** What an event tells of an error. */
export const errorFacts = (message: string, { source, line, column }: Place, stack: unknown) => ({
  message,
  source: source && sourceOf(source),
  line,
  column,
  stack: stackOf(stack),
});
