// What the page's own scripts log as errors and warnings: the text, never an object's content.

import { attempt, guard } from '../guard';
import { onView } from '../pages';
import { detect } from '../queue';
import { isOn } from '../settings';
import { describe, wasThrown } from './errors';
import { messageOf, placeOf, sourceOf, stackOf } from './stack';

const MAX_DISTINCT = 5;

const textOf = (value: unknown): string => {
  if (value instanceof Error) return describe(value);
  if (value && /object|function/.test(typeof value)) return `[${attempt(() => value.constructor.name) ?? 'Object'}]`;
  return attempt(() => String(value)) ?? '';
};

/** The arguments of a console's method as one text. */
export const format = (args: unknown[]): string => {
  const rest = [...args];
  const first = typeof rest[0] == 'string' ? (rest.shift() as string).slice(0, 2000) : '';
  const filled = first.replace(/%([sdifoOc%])/g, (all, kind) => (kind == '%' ? kind : !rest.length ? all : kind == 'c' ? (rest.shift(), '') : textOf(rest.shift())));
  return [filled, ...rest.slice(0, 10).map(textOf)].filter(Boolean).join(' ');
};

export const logs = (): void => {
  if (!isOn('console', 'on')) return;
  let isInside = false;
  for (const [method, name] of [
    ['error', 'console_error'],
    ['warn', 'console_warning'],
  ] as const) {
    let seen = new Set<string>();
    onView(() => {
      seen = new Set();
    });
    const note = guard((args: unknown[]) => {
      const message = messageOf(format(args));
      if (!message || seen.has(message) || seen.size >= MAX_DISTINCT || wasThrown(message)) return;
      seen.add(message);
      const error = args.find((value) => value instanceof Error) as Error | undefined;
      // The first frame is the wrapper's own.
      const stack = error ? error.stack : new Error().stack?.split('\n').filter((line) => /:\d+/.test(line)).slice(3).join('\n');
      const { source, line, column } = placeOf(stack);
      detect(name, { message, source: source && sourceOf(source), line, column, stack: stackOf(stack) });
    });
    attempt(() => {
      const original = console[method];
      const wrapper = function (this: unknown, ...args: unknown[]) {
        const result = original.apply(this, args) as unknown;
        // A hook of the site's may log as well.
        if (!isInside) {
          isInside = true;
          note(args);
          isInside = false;
        }
        return result;
      };
      wrapper.toString = () => original.toString();
      console[method] = wrapper as typeof original;
    });
  }
};
