// Where the tracker may keep something: access only when needed and never without a net, as sandboxed frames throw.

export type Mode = 'local' | 'session' | 'none';

export let mode: Mode = 'none';
let prefix = '';
/** What could not be stored, for as long as the page lives. */
let memory: { [name: string]: string | undefined } = {};

/** Each project keeps to itself, so that two sites on one origin do not meet. */
export const storeFor = (key: string): void => {
  prefix = 'identity.' + key.slice(-6);
};

export const storeIn = (where: Mode): void => {
  mode = where;
  memory = {};
};

// There is no `noneStorage`: that throws as a forbidden one does.
const area = (where: Mode): Storage => (window as any)[where + 'Storage'];

export const read = (name: string, where = mode): any => {
  try {
    // Nothing is the rule at first, and an error costs a browser half a millisecond.
    const text = memory[name] ?? area(where)[prefix + name];
    return text && JSON.parse(text);
  } catch {}
};

/** Writes a value, or removes it if there is none; whether it outlives the page. */
export const write = (name: string, value?: unknown, where = mode): boolean => {
  const text = value ? JSON.stringify(value) : undefined;
  try {
    memory[name] = undefined;
    if (text) area(where)[prefix + name] = text;
    else delete area(where)[prefix + name];
    return true;
  } catch {
    memory[name] = text;
    return false;
  }
};

/** The visitor's refusal is kept whatever the mode: it is the visitor's own wish. */
export const isOptedOut = (): boolean => read('.off', 'local');

export const setOptedOut = (value: boolean): void => {
  write('.off', value, 'local');
};
