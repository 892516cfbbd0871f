// Reads what a page shows, as its reader would.

/** The cells of the table with a caption, as text. */
export const readTable = (tab, caption) =>
  tab.evaluate((caption) => {
    const table = [...document.querySelectorAll('table')].find((table) => table.caption?.textContent === caption);
    if (!table) throw new Error(`There is no table ${caption} among: ${[...document.querySelectorAll('caption')].map(({ textContent }) => textContent)}`);
    // What only a screen reader is told of a cell is no part of its value.
    const textOf = (cell) => {
      const copy = cell.cloneNode(true);
      for (const hidden of copy.querySelectorAll('.visually-hidden, .event-data dl')) hidden.remove();
      return copy.textContent.trim();
    };
    return [...table.tBodies[0].rows].map((row) => [...row.cells].map(textOf));
  }, caption);

/** Shows the rows of all tables that a page begins without. */
export const showAll = async (tab) => {
  const buttons = tab.locator('button.more');
  while (await buttons.count()) await buttons.first().click();
};

/** Names and values of a list of facts. */
export const readFacts = (tab) =>
  tab.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.facts > div')].map((fact) => [fact.querySelector('dt').textContent, fact.querySelector('dd').innerText.split('\n')[0].trim()]),
    ),
  );

const NOTHING = '–';
const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 3 });
const decimal = new Intl.NumberFormat('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const timeOfOtherYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** How values are written, told apart from how the page does it. */
export const as = {
  text: (value) => value || NOTHING,
  number: (value) => (value === null ? NOTHING : number.format(value)),
  decimal: (value) => decimal.format(value),
  percent: (value) => `${decimal.format(value)} %`,
  instant: (value) => (new Date(value).getUTCFullYear() === new Date().getUTCFullYear() ? time : timeOfOtherYear).format(value),
  date: (value) => date.format(value),
  milliseconds: (value) => `${number.format(Math.round(value * 10) / 10)} ms`,
  duration: (value) => {
    if (value < 1000) return `${value} ms`;
    if (value < 60_000) return `${decimal.format(Math.floor(value / 100) / 10)}s`;
    const seconds = Math.floor(value / 1000);
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
    return `${Math.floor(seconds / 3600)}h ${Math.floor(seconds / 60) % 60}m`;
  },
  list: (...values) => values.filter(Boolean).join(', ') || NOTHING,
};
