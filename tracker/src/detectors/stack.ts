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

const framesOf = (stack: unknown): string[] => `${stack ?? ''}`.split('\n').filter((line) => /:\d+/.test(line));

export const stackOf = (stack: unknown, skipped = 0): string | undefined =>
  framesOf(stack)
    .slice(skipped, skipped + 10)
    .map((line) => line.trim().slice(0, 500).replace(ADDRESS, (url) => url.replace(/^.*?(?=(:\d+)*$)/, (path) => sourceOf(path) ?? '')))
    .join('\n')
    .slice(0, 2000) || undefined;

export interface Place {
  source: string | undefined;
  line: number | undefined;
  column: number | undefined;
}

/** The address, line and column of a stack's first frame. */
export const placeOf = (stack: unknown, skipped = 0): Place => {
  const [, source, line, column] = /([a-z][\w+.-]*:\/\/[^\s()]+?):(\d+):(\d+)/i.exec(framesOf(stack).slice(skipped).join('\n')) ?? [];
  return { source, line: line ? +line : undefined, column: column ? +column : undefined };
};

/** What an event tells of an error. */
export const factsOf = (message: string, { source, line, column }: Place, stack: unknown, skipped?: number) => ({
  message,
  source: source && sourceOf(source),
  line,
  column,
  stack: stackOf(stack, skipped),
});
