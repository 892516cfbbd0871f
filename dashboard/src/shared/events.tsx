// What visitors did, in words.

import type { ComponentChildren } from 'preact';
import * as format from '../format';
import { events as texts } from '../texts';

export interface AnyEvent {
  id: number;
  name: string;
  data: unknown;
  created_at: number;
  url?: string | null;
}

export type Kind = 'page' | 'click' | 'error' | 'form' | 'other';

/** By sets and not by an object's keys, as `constructor` is a name that an event may have. */
const NAMES: [Kind, Set<string>][] = [
  ['page', new Set(['page_view'])],
  ['click', new Set(['rage_click', 'dead_click', 'phantom_click'])],
  ['error', new Set(['js_exception', 'promise_rejection', 'console_error', 'console_warning'])],
  ['form', new Set(['form_abandon', 'field_hesitation'])],
];

/** What a frustration score is made of. */
const FRUSTRATING = ['rage_click', 'dead_click', 'js_exception', 'promise_rejection', 'form_abandon'];

export const kindOf = (name: string): Kind => NAMES.find(([, names]) => names.has(name))?.[0] ?? 'other';
export const isFrustrating = (name: string): boolean => FRUSTRATING.includes(name);
export const nameOf = (name: string): string => (Object.hasOwn(texts.names, name) ? (texts.names[name] ?? name) : name);

/** A visitor's browser may have sent anything. */
const fieldsOf = (data: unknown): Record<string, unknown> => (data && typeof data === 'object' ? (data as Record<string, unknown>) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? format.number(value) : '');
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

export const urlOf = ({ url, data }: AnyEvent): string | null => url ?? (textOf(fieldsOf(data).url) || null);

/** The one thing worth knowing about an event. */
export const summaryOf = ({ name, data }: AnyEvent): string => {
  const fields = fieldsOf(data);
  switch (name) {
    case 'page_view':
    case 'seo_diagnostics':
      return textOf(fields.title);
    case 'rage_click':
    case 'dead_click':
    case 'phantom_click':
      return [textOf(fields.selector), textOf(fields.text)].filter(Boolean).join(' · ');
    case 'js_exception':
    case 'promise_rejection':
    case 'console_error':
    case 'console_warning':
      return textOf(fields.message);
    case 'form_abandon':
      return texts.formLeft(textOf(fields.form), textOf(fields.last_field));
    case 'field_hesitation':
      return texts.hesitated(textOf(fields.field), format.duration(numberOf(fields.hesitation_ms)));
    case 'reading_behavior':
      return texts.read(format.percent(numberOf(fields.scroll_depth)), format.duration(numberOf(fields.active_time_ms)));
    case 'web_vitals':
      return fields.lcp === undefined ? '' : texts.vitals(format.inMilliseconds(numberOf(fields.lcp)));
    case 'frustration_score':
      return textOf(fields.score);
    default:
      return '';
  }
};

/** All fields of an event, for whom a line is not enough. */
export const EventData = ({ data, summary }: { data: unknown; summary: ComponentChildren }) => {
  const fields = Object.entries(fieldsOf(data));
  if (!fields.length) return <>{summary}</>;
  return (
    <details class="event-data">
      <summary>{summary || <span class="note">{texts.data}</span>}</summary>
      <dl>
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
};

const MARKS: Record<Kind, string> = {
  page: 'M2 2h8v8H2z',
  click: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z',
  error: 'M6 .5 11.5 6 6 11.5.5 6z',
  form: 'M1 3h10v6H1z',
  other: 'M6 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4z',
};

/** Kinds are told apart by shape as well as by colour. */
export const Mark = ({ name }: { name: string }) => (
  <svg class={`mark mark-${kindOf(name)} ${isFrustrating(name) ? 'is-frustrating' : ''}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">
    <path d={MARKS[kindOf(name)]} />
  </svg>
);
