// What the page's own scripts log as errors and warnings: the text, never an object's content.

import { attempt, describe, detect, errorFacts, framesOf, guard, isOn, messageOf, placeOf, quota, wasThrown } from '../kit';

const textOf = (value: unknown): string => {
  if (value instanceof Error) return describe(value);
  return attempt(() => (value && /object|function/.test(typeof value) ? '[' + (value.constructor?.name ?? 'Object') + ']' : String(value))) ?? '[Object]';
};

/** The arguments of a console's method as one text. */
export const format = ([first, ...rest]: unknown[]): string => {
  const next = (all: string, kind: string): string => {
    if (kind == '%') return kind;
    if (!rest.length) return all;
    const text = textOf(rest.shift());
    return kind == 'c' ? '' : text;
  };
  return [typeof first == 'string' ? first.replace(/%([sdifoOc%])/g, next) : textOf(first), ...rest.slice(0, 10).map(textOf)].filter(Boolean).join(' ');
};

export const logs = (): void => {
  if (!isOn('console', true)) return;
  let isInside = false;
  for (const [method, name] of [
    ['error', 'console_error'],
    ['warn', 'console_warning'],
  ] as const) {
    const mayReport = quota(5);
    const note = guard((args: unknown[], here: string | undefined) => {
      const message = messageOf(format(args));
      if (!message || wasThrown(message) || !mayReport(message)) return;
      const error = args.find((value) => value instanceof Error) as Error | undefined;
      // The first frame is the wrapper's own.
      const stack = error ? error.stack : framesOf(here).slice(1).join('\n');
      detect(name, errorFacts(message, placeOf(stack), stack));
    });
    attempt(() => {
      const original = console[method];
      const wrapper = function (this: unknown, ...args: unknown[]) {
        const result = original.apply(this, args) as unknown;
        // A hook of the site's may log as well.
        if (!isInside) {
          isInside = true;
          note(args, new Error().stack);
          isInside = false;
        }
        return result;
      };
      wrapper.toString = () => original.toString();
      console[method] = wrapper as typeof original;
    });
  }
};
