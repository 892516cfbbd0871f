// What the site's owner chose: attributes of the script, or the options of `init`.

export interface Options {
  /** The project's public key. */
  key: string;
  /** Where batches go; by default `collect` in the script's folder. */
  endpoint?: string;
  /** Where ids are kept: for ever in this browser, for as long as this tab, or nowhere. */
  storage?: 'local' | 'session' | 'none';
  /** `required`: nothing is stored or sent before `consent(true)`. */
  consent?: 'required';
  /** Sends a hash of the kind of device. */
  fingerprint?: boolean;
  /** Honours Do Not Track. */
  dnt?: boolean;
  /** The share of visitors that are measured, 0 to 1. */
  sample?: number;
  /** Query parameters that belong to a page's address. */
  params?: string[];
  /** Whether hashes are routes; by default those that begin with `#/` or `#!/` are. */
  hash?: boolean;
  /** Patterns of paths that are sent in the pattern's stead: `/orders/*`. */
  mask?: string[];
  /** Patterns of paths where nothing is measured. */
  exclude?: string[];
  /** `false`: no heartbeats. */
  heartbeat?: boolean;
  /** `false`: the page's console stays untouched. */
  console?: boolean;
  /** Detectors and events that are not wanted. */
  off?: string[];
  /** Runs in frames too. */
  frames?: boolean;
  /** Runs on localhost too. */
  local?: boolean;
  /** Says in the console what is refused and why. */
  debug?: boolean;
}

/** A setting's value, null or undefined where it was not chosen. An attribute without a value is the empty text. */
export let setting = (_name: string): any => {};

export const settle = (from: (name: string) => unknown): void => {
  setting = from;
};

export const isOn = (name: string, otherwise = false): boolean => !/^(false|off|0)$/.test(setting(name) ?? otherwise);

export const list = (name: string): string[] => `${setting(name) ?? ''}`.match(/[^\s,]+/g) ?? [];

/** Whether a pattern of the list fits the path: `*` is any one segment, `**` any rest. The pattern, if so. */
export const matching = (name: string, path: string): string | undefined =>
  list(name).find((pattern) =>
    RegExp('^' + pattern.replace(/\*+|\W/g, (part) => (part[1] ? '.*' : part == '*' ? '[^/]*' : '\\' + part)) + '/?$').test(path),
  );
