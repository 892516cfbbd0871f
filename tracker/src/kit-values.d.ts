// Made by tools/bundle.mjs.
declare module 'kit:values' {
  export const kit: unknown[];
}
