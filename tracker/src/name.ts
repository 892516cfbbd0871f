// Names of events.

/** A name in snake case, as the collector takes it; empty or undefined if nothing is left of it. */
export const snake = (name: unknown): string | undefined =>
  String(name)
    .match(/[A-Z]*[a-z\d]+|[A-Z]+/g)
    ?.join('_')
    .toLowerCase()
    .slice(0, 64);
