// Ids nobody guesses, and hashes that need no secure context.

/** 96 random bits in base64url. */
export const randomId = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)))).replace(/\W/g, (sign) => (sign == '+' ? '-' : '_'));

/** A 32-bit hash of a text. */
export const hash32 = (text: string, seed = 0): number => {
  let hash = ~seed;
  for (let at = 0; at < text.length + 4; at++) {
    // Some rounds more than characters, so that the last ones count as much as the first.
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};

/** A 128-bit hash in hexadecimal. */
export const hash128 = (text: string): string =>
  [1, 2, 3, 4].map((seed) => (hash32(text, seed) + 2 ** 32).toString(16).slice(1)).join('');
