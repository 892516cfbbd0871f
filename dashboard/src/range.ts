// Ranges of whole days, in UTC as the API counts them, both ends included.

export interface Range {
  from: string;
  to: string;
}

export const PRESETS = ['today', '7d', '30d', '90d', 'month', 'last-month'] as const;
export type Preset = (typeof PRESETS)[number];
export const DEFAULT_PRESET: Preset = '30d';

const DAY = 86_400_000;

export const toDay = (instant: number): string => new Date(instant).toISOString().slice(0, 10);
const toInstant = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const isDay = (text: string | undefined): text is string => !!text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(toInstant(text)) && toDay(toInstant(text)) === text;

export const addDays = (day: string, days: number): string => toDay(toInstant(day) + days * DAY);

/** Days from the first to the second, 0 for the same. */
export const daysBetween = (from: string, to: string): number => Math.round((toInstant(to) - toInstant(from)) / DAY);

export const lengthOf = ({ from, to }: Range): number => daysBetween(from, to) + 1;

/** As many days right before. */
export const before = (range: Range): Range => ({ from: addDays(range.from, -lengthOf(range)), to: addDays(range.from, -1) });

export const ofPreset = (preset: Preset, now: number): Range => {
  const today = toDay(now);
  const firstOfMonth = `${today.slice(0, 8)}01`;
  const lastOfPrevious = addDays(firstOfMonth, -1);
  switch (preset) {
    case 'today':
      return { from: today, to: today };
    case '7d':
      return { from: addDays(today, -6), to: today };
    case '30d':
      return { from: addDays(today, -29), to: today };
    case '90d':
      return { from: addDays(today, -89), to: today };
    case 'month':
      return { from: firstOfMonth, to: today };
    case 'last-month':
      return { from: `${lastOfPrevious.slice(0, 8)}01`, to: lastOfPrevious };
  }
};

const isPreset = (text: string | undefined): text is Preset => PRESETS.includes(text as Preset);

/** What the address asks for. A range that makes no sense is the default's. */
export const fromParams = (params: Record<string, string>, now: number): { preset: Preset | undefined; range: Range } => {
  const { from, to, range } = params;
  if (isDay(from) && isDay(to) && from <= to) return { preset: undefined, range: { from, to } };
  const preset = isPreset(range) ? range : DEFAULT_PRESET;
  return { preset, range: ofPreset(preset, now) };
};
