// JSON that the collector takes.

/**
 * JSON without lone surrogates, which `JSON.stringify` writes as escapes: the collector refuses a whole batch for one.
 * Escaped backslashes are matched too, so that a text that merely spells an escape stays as it is.
 */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(/\\(u[dD][89a-fA-F]..|.)/g, (escape, code: string) => (code.length > 4 ? '\ufffd' : escape));

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** Keys and items of a copy in all. */
const MAX_KEYS = 100;
const MAX_DEPTH = 5;
const MAX_TEXT = 1000;

/** A bounded copy of a site's data, of what JSON can say: whatever the site passes, this ends and does not throw. */
export const copy = (value: unknown): unknown => {
  let keys = 0;
  const walk = (item: any, depth: number): unknown => {
    try {
      if (typeof item == 'string') return item.slice(0, MAX_TEXT);
      if (typeof item == 'number') return isFinite(item) ? item : null;
      if (typeof item == 'bigint') return String(item);
      if (typeof item == 'boolean' || item === null) return item;
      if (typeof item != 'object' || item.nodeType) return undefined;
      if (item instanceof Date) return item.toISOString();
      if (depth > MAX_DEPTH) return null;
      if (Array.isArray(item)) {
        const list = [];
        for (let at = 0; at < item.length && keys++ < MAX_KEYS; at++) list.push(walk(item[at], depth + 1) ?? null);
        return list;
      }
      const object: Record<string, unknown> = {};
      for (const key of Object.keys(item)) {
        if (keys++ >= MAX_KEYS) break;
        let entry;
        try {
          entry = item[key];
        } catch {
          entry = null;
        }
        object[key.slice(0, MAX_TEXT)] = walk(entry, depth + 1);
      }
      return object;
    } catch {
      return null;
    }
  };
  return walk(value, 1);
};
