// What every page is given.

export interface PageProps {
  /** What follows the page's name in the address. */
  selection: string | undefined;
  params: Record<string, string>;
}
