// Numbers, days and times in words. All in UTC, as the figures are.

import { LOCALE, NOTHING } from './texts';

const numbers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 });
const oneDecimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' });
const unit = (name: string, digits = 0) =>
  new Intl.NumberFormat(LOCALE, { style: 'unit', unit: name, unitDisplay: 'narrow', minimumFractionDigits: digits, maximumFractionDigits: digits });
const hours = unit('hour');
const minutes = unit('minute');
const seconds = unit('second');
const secondsAndTenths = unit('second', 1);
const milliseconds = new Intl.NumberFormat(LOCALE, { style: 'unit', unit: 'millisecond', unitDisplay: 'short', maximumFractionDigits: 1 });
const dayOnly = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayAndYear = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const timeOfThisYear = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const dayAndTime = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const exact = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC' });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'always', style: 'short' });
const ranges = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

export const number = (value: number): string => numbers.format(value);
export const decimal = (value: number): string => oneDecimal.format(value);
export const percent = (value: number): string => `${oneDecimal.format(value)} %`;
export const wholePercent = (value: number): string => `${numbers.format(value)} %`;
export const change = (value: number): string => `${signed.format(value)} %`;
export const points = (value: number): string => signed.format(value);
export const share = (part: number, total: number): string => percent(total ? (part / total) * 100 : 0);

/** As exact as it is read: to the millisecond, tenth of a second, second or minute, whatever is a hundredth of it or less. Never rounded up. */
export const duration = (value: number): string => {
  if (value < 1000) return milliseconds.format(value);
  if (value < 60_000) return secondsAndTenths.format(Math.floor(value / 100) / 10);
  const whole = Math.floor(value / 1000);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60] as const;
  if (parts[0]) return `${hours.format(parts[0])} ${minutes.format(parts[1])}`;
  return `${minutes.format(parts[1])} ${seconds.format(parts[2])}`;
};

export const inMilliseconds = (value: number): string => milliseconds.format(value);

const instantOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);
/** What is no day stays as it is. */
const dayWith = (format: Intl.DateTimeFormat, text: string): string => (Number.isNaN(instantOf(text)) ? text : format.format(instantOf(text)));
export const day = (text: string): string => dayWith(dayOnly, text);
export const fullDay = (text: string): string => dayWith(weekday, text);
export const dayRange = (from: string, to: string): string => ranges.formatRange(instantOf(from), instantOf(to));
/** Without the year where it is this one. */
export const instant = (value: number): string => (new Date(value).getUTCFullYear() === new Date().getUTCFullYear() ? timeOfThisYear : dayAndTime).format(value);
export const exactInstant = (value: number): string => exact.format(value);
export const date = (value: number): string => dayAndYear.format(value);

/** How long ago that was. */
export const ago = (value: number, now: number): string => {
  const passed = Math.max(0, Math.round((now - value) / 1000));
  if (passed < 60) return relative.format(-passed, 'second');
  if (passed < 3600) return relative.format(-Math.floor(passed / 60), 'minute');
  if (passed < 86_400) return relative.format(-Math.floor(passed / 3600), 'hour');
  return relative.format(-Math.floor(passed / 86_400), 'day');
};

/** From the start of a session: `+1:05`. */
export const offset = (value: number): string => {
  const whole = Math.max(0, Math.floor(value / 1000));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (part: number) => String(part).padStart(2, '0');
  return h ? `${h}:${padded(m)}:${padded(s)}` : `${m}:${padded(s)}`;
};

const regions = new Intl.DisplayNames(LOCALE, { type: 'region', fallback: 'code' });
const languages = new Intl.DisplayNames(LOCALE, { type: 'language', fallback: 'code' });

/** `NOTHING` for what is not known; what is no code stays as it is. */
const named = (names: Intl.DisplayNames, code: string | null): string => {
  if (!code) return NOTHING;
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
};
export const country = (code: string | null): string => named(regions, code);
export const language = (code: string | null): string => named(languages, code);
export const text = (value: string | null | undefined): string => value || NOTHING;
