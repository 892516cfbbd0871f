// Ids nobody guesses, and hashes that need no secure context.

/** 16 random letters and digits: 82 bits. */
export const randomId = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte % 36).toString(36)).join('');

/** Whether someone is of a share of all, if one was chosen, by an id that ends in letters and digits: always, or never. */
export const isOfShare = (id: string, share: number | undefined): boolean => !(parseInt(id.slice(-8), 36) % 100_000 >= share! * 100_000);

/** A 32-bit hash of a text. */
export const hash32 = (text: string, hash = -1): number => {
  for (let at = 0; at < text.length + 4; at++) {
    // Some rounds more than characters, so that the last ones count as much as the first.
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};

/** A 128-bit hash in hexadecimal. */
export const hash128 = (text: string): string =>
  [1, 2, 3, 4].map((seed) => (hash32(text, ~seed) + 2 ** 32).toString(16).slice(1)).join('');
