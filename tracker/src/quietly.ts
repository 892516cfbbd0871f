/** The value, or undefined where getting it throws. Nobody is told. */
export const quietly = <T>(get: () => T): T | undefined => {
  try {
    return get();
  } catch {}
};
