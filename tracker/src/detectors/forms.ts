// Forms that were begun and left, and fields that made people think. Names of fields, never what is in them.

import { selectorOf, targetOf } from '../elements';
import { here } from '../address';
import { later, now, on, onInput } from '../guard';
import { ABANDON, count } from '../identity';
import { onFinish, onView } from '../pages';
import { detect } from '../queue';

const MAX_ABANDONS = 3;
const MAX_HESITATIONS = 10;
const MAX_GAP = 30_000;
const HESITATION = 3000;
const MAX_HESITATION = 300_000;
/** A person's focus follows the press or the key at once. */
const SOON = 500;

interface Form {
  element: WeakRef<Element>;
  name: string;
  url: string;
  isTouched: boolean;
  isStarted: boolean;
  /** When it was sent off. */
  sentAt: number;
  isReported: boolean;
  lastField: string;
  spent: number;
  lastAt: number;
}

const forms = new WeakMap<Element, Form>();
let known: Form[] = [];
let abandons = 0;
let hesitations = 0;
let seenFields = new WeakSet<Element>();
let focused: { field: Element; at: number; away: number; awayAt: number } | undefined;
let gestureAt = -Infinity;

const FIELDS = 'input:not([type=hidden],[type=button],[type=submit],[type=reset],[type=image]),textarea,select';

const nameOf = (element: Element): string => {
  for (const name of ['name', 'id', 'autocomplete', 'type']) {
    const value = element.getAttribute(name);
    if (value) return value.slice(0, 100);
  }
  return element.localName;
};

const formElement = (field: Element): Element | null => {
  const own = (field as HTMLInputElement).form ?? field.closest('form,[role=form],fieldset');
  if (own) return own;
  for (let at = field.parentElement; at && at != document.body; at = at.parentElement) {
    if (at.querySelectorAll(FIELDS).length > 1 && at.querySelector('button,[role=button],[type=submit]')) return at;
  }
  return null;
};

/** Searching and filtering is not filling in a form. */
const isSearch = (form: Element): boolean => {
  const fields = [...form.querySelectorAll(FIELDS)];
  const [only] = fields;
  if (form.closest('[role=search],search') || form.querySelector('[type=search]')) return true;
  if (fields.length != 1) return false;
  return only!.matches('select,[type=checkbox],[type=radio],[name=q],[name=s],[name=query],[name=search]') || /^get$/i.test(form.getAttribute('method') ?? '');
};

const formOf = (field: Element): Form | undefined => {
  const element = formElement(field);
  if (!element || element.closest('[data-identity-ignore]') || isSearch(element)) return;
  let form = forms.get(element);
  if (!form) {
    const read = (name: string): string | null => element.getAttribute(name);
    const action = read('action');
    const name = read('name') || read('id') || (action && new URL(action, location.href).pathname) || selectorOf(element);
    form = { element: new WeakRef(element), name: name.slice(0, 256), url: here, isTouched: false, isStarted: false, sentAt: 0, isReported: false, lastField: '', spent: 0, lastAt: 0 };
    forms.set(element, form);
    known.push(form);
  }
  return form;
};

const spend = (form: Form): void => {
  const at = now();
  if (form.lastAt) form.spent += Math.min(at - form.lastAt, MAX_GAP);
  form.lastAt = at;
};

const isAbandoned = (form: Form): boolean => form.isStarted && !form.sentAt && !form.isReported;

const isThere = ({ element }: Form): boolean => !!element.deref()?.isConnected;

const abandon = (form: Form, isFinal: boolean, tell: () => void): void => {
  if (abandons >= MAX_ABANDONS) return;
  if (isFinal) {
    abandons++;
    form.isReported = true;
    count(ABANDON);
  }
  tell();
};

const factsOf = ({ name, lastField, spent }: Form) => ({ form: name, last_field: lastField, time_spent_ms: Math.round(spent) });

export const formsDetector = (): void => {
  const sent = (form: Form | undefined): void => {
    if (form) form.sentAt = now();
  };

  const edited = (event: Event): void => {
    const field = targetOf(event);
    if (!field.matches?.(FIELDS)) return;
    const form = formOf(field);
    if (form?.isTouched) {
      spend(form);
      // A form that is edited again was not accepted.
      if (form.sentAt && now() - form.sentAt > 1000) form.sentAt = 0;
      form.isStarted = true;
      form.lastField = nameOf(field);
    }
    if (focused?.field != field) return;
    const { at, away } = focused;
    focused = undefined;
    const waited = Math.round(event.timeStamp - at - away);
    const isTyped = event.type == 'beforeinput' ? !/Paste|Drop|Replacement/.test((event as InputEvent).inputType) : field.matches('select');
    if (!isTyped || field.matches(':autofill') || waited < HESITATION || waited > MAX_HESITATION || hesitations++ >= MAX_HESITATIONS) return;
    detect('field_hesitation', { form: form?.name, field: nameOf(field), hesitation_ms: waited });
  };

  onInput('beforeinput input change', edited);
  onInput('pointerdown keydown', (event) => {
    gestureAt = event.timeStamp;
    const target = targetOf(event);
    if (!target.closest) return;
    const form = target.matches(FIELDS) ? formOf(target) : undefined;
    if (form) {
      form.isTouched = true;
      spend(form);
    }
  });
  onInput('click', (event) => {
    const button = targetOf(event).closest?.('button,[role=button],[type=submit]');
    for (const form of known) {
      const element = form.element.deref();
      if (button && element && element.localName != 'form' && element.contains(button)) sent(form);
    }
  });
  on(window, 'submit formdata', ({ target }) => sent(forms.get(target as Element)));
  onInput('focusin', (event) => {
    const field = targetOf(event);
    // Neither event leaves a shadow root.
    const root = field.getRootNode();
    if (root instanceof ShadowRoot && !rooted.has(root)) {
      rooted.add(root);
      on(root, 'change', (change) => change.isTrusted && edited(change));
      on(root, 'submit formdata', ({ target }) => sent(forms.get(target as Element)));
    }
    focused = undefined;
    const isFirst = !seenFields.has(field);
    if (!isFirst || event.timeStamp - gestureAt > SOON || !field.matches(FIELDS) || field.matches('[type=checkbox],[type=radio],[type=range],[type=color],[type=file],[data-identity-ignore] *')) return;
    seenFields.add(field);
    focused = { field, at: event.timeStamp, away: 0, awayAt: 0 };
  });
  on(document, 'visibilitychange', ({ timeStamp }) => {
    if (document.hidden) {
      for (const form of known) if (form.lastAt) spend(form);
      if (focused) focused.awayAt = timeStamp;
    } else {
      for (const form of known) if (form.lastAt) form.lastAt = now();
      if (focused?.awayAt) focused.away += timeStamp - focused.awayAt;
    }
  });
  const rooted = new WeakSet<ShadowRoot>();

  onFinish((add, isFinal, isLeft) => {
    // After a route change the form may stay: that is known a moment later.
    const isRoute = isFinal && !isUnloading && !document.hidden;
    for (const form of known) {
      if (isLeft && isAbandoned(form) && !(isRoute && isThere(form))) abandon(form, isFinal, () => add('form_abandon', factsOf(form), form.url));
    }
  });
  let isUnloading = false;
  on(window, 'pagehide', () => {
    isUnloading = true;
    later(() => {
      isUnloading = false;
    }, 0);
  });
  onView(() => {
    abandons = 0;
    hesitations = 0;
    seenFields = new WeakSet();
    later(() => {
      for (const form of known) {
        if (!isThere(form) && isAbandoned(form)) abandon(form, true, () => detect('form_abandon', factsOf(form), undefined, form.url));
      }
      known = known.filter(isThere);
    }, 1000);
  });
};
