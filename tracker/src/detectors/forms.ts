// Forms that were begun and left, and fields that made people think. Names of fields, never what is in them.

import { FIELDS, isField, isTextField, selectorOf } from '../elements';
import { ABANDON, DOCUMENT_LEFT, type Add, closest, count, detect, finishers, hear, here, ignored, later, now, on, onView, quota, read, targetOf } from '../kit';

const MAX_GAP = 30_000;
const HESITATION = 3000;
const MAX_HESITATION = 300_000;
/** A person's focus follows the press or the key at once. */
const SOON = 500;

interface Form {
  element_: WeakRef<Element>;
  name_: string;
  url_: string;
  isTouched_?: unknown;
  isStarted_?: unknown;
  /** When it was sent off. */
  sentAt_?: number;
  lastField_: string;
  spent_: number;
  lastAt_: number;
}

let known: Form[] = [];
const mayAbandon = quota(3);
const mayHesitate = quota(10);
let seenFields = new WeakSet<Element>();
const seenRoots = new WeakSet<ShadowRoot>();
/** The field that a person entered, and when; later by the time that the page was hidden. */
let focused: Element | undefined;
let focusedAt: number;
let hiddenAt: number;
let gestureAt = -Infinity;

const nameOf = (field: Element): string =>
  (read(field, 'name') || read(field, 'id') || read(field, 'autocomplete') || read(field, 'type') || field.localName).slice(0, 100);

const elementOf = (field: Element): Element | null => {
  let found: Element | null = (field as HTMLInputElement).form ?? field.closest('form,[role=form],fieldset');
  for (let at = field.parentElement; !found && at && at != document.body; at = at.parentElement) {
    if (at.querySelectorAll(FIELDS)[1] && at.querySelector('button,[role=button],[type=submit]')) found = at;
  }
  return found;
};

/** Searching and filtering is not filling in a form. */
const isSearch = (form: Element): unknown => {
  const [only, more] = form.querySelectorAll(FIELDS);
  return (
    form.closest('[role=search],search') ||
    form.querySelector('[type=search]') ||
    (only && !more && (form.matches('[method=get i]') || only.matches('select,[type=checkbox],[type=radio],[name=q],[name=s],[name=query],[name=search]')))
  );
};

const find = (element: unknown): Form | undefined => known.find((form) => form.element_.deref() == element);

const formOf = (field: Element): Form | undefined => {
  const element = elementOf(field);
  if (!element || closest(element, ignored) || isSearch(element)) return;
  let form = find(element);
  if (!form) {
    const action = read(element, 'action');
    const name = read(element, 'name') || read(element, 'id') || (action && new URL(action, location.href).pathname) || selectorOf(element);
    form = { element_: new WeakRef(element), name_: name.slice(0, 256), url_: here(), lastField_: '', spent_: 0, lastAt_: now() };
    known.push(form);
  }
  return form;
};

const spend = (form: Form, wasAway?: boolean): void => {
  const at = now();
  if (!wasAway) form.spent_ += Math.min(at - form.lastAt_, MAX_GAP);
  form.lastAt_ = at;
};

const isThere = (form: Form): unknown => form.element_.deref()?.isConnected;

/** Tells of a form that was left as it was, once. */
const abandon = (form: Form, isFinal: boolean, tell: Add): void => {
  if (!form.isStarted_ || form.sentAt_ || (isFinal && !mayAbandon(form))) return;
  if (isFinal) {
    count(ABANDON);
    form.isStarted_ = 0;
  }
  tell('form_abandon', { form: form.name_, last_field: form.lastField_, time_spent_ms: Math.round(form.spent_) }, form.url_);
};

const send = (form: Form | undefined): void => {
  if (form) form.sentAt_ = now();
};

const sent = (event: Event): void => send(find(event.target));

const edited = (event: Event, field: Element): void => {
  if (!isField(field)) return;
  const form = formOf(field);
  if (form?.isTouched_) {
    spend(form);
    // A form that is edited again was not accepted.
    if (now() - form.sentAt_! > 1000) form.sentAt_ = 0;
    form.isStarted_ = 1;
    form.lastField_ = nameOf(field);
  }
  if (focused != field) return;
  focused = undefined;
  const waited = Math.round(event.timeStamp - focusedAt);
  const isTyped = event.type == 'beforeinput' ? !/Paste|Drop|Replacement/.test((event as InputEvent).inputType) : field.matches('select');
  if (isTyped && !field.matches(':autofill') && waited >= HESITATION && waited <= MAX_HESITATION && mayHesitate())
    detect('field_hesitation', { form: form?.name_, field: nameOf(field), hesitation_ms: waited });
};

export const forms = (): void => {
  hear('beforeinput input change', edited);
  hear('pointerdown keydown', (event, field) => {
    gestureAt = event.timeStamp;
    const form = isField(field) && formOf(field);
    if (form) {
      form.isTouched_ = 1;
      spend(form);
    }
  });
  hear('click', (_event, target) => {
    const button = known[0] && target.closest('button,[role=button],[type=submit]');
    for (const form of known) if (button && form.element_.deref()?.matches(':not(form)') && form.element_.deref()!.contains(button)) send(form);
  });
  on('submit formdata', sent);
  hear('focusin', (event, field) => {
    const root = field.getRootNode();
    // Neither event leaves a shadow root.
    if (root instanceof ShadowRoot && !seenRoots.has(root)) {
      seenRoots.add(root);
      on('change', (event) => event.isTrusted && edited(event, targetOf(event)), root);
      on('submit formdata', sent, root);
    }
    focused = undefined;
    if (event.timeStamp - gestureAt > SOON || seenFields.has(field) || !isTextField(field) || field.matches('[type=range],[type=color],[type=file],[data-identity-ignore] *')) return;
    seenFields.add(field);
    focused = field;
    focusedAt = event.timeStamp;
  });
  on('visibilitychange', (event) => {
    for (const form of known) spend(form, !document.hidden);
    if (document.hidden) hiddenAt = event.timeStamp;
    else focusedAt += event.timeStamp - hiddenAt;
  });

  // After a route change the form may stay: that is known a moment later.
  finishers.push((add, isFinal, left) => {
    for (const form of known) if (left && (left == DOCUMENT_LEFT || !isThere(form))) abandon(form, isFinal, add);
  });
  onView(() => {
    seenFields = new WeakSet();
    later(() => {
      for (const form of known) if (!isThere(form)) abandon(form, true, detect);
      known = known.filter(isThere);
    }, 1000);
  });
};
