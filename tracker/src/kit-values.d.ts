// Made by tools/bundle.mjs.
declare module 'kit:values' {
  export const kit: unknown[];
}

/** Whether this is the small script. */
declare const LITE: boolean;
