// Tables as CSV (RFC 4180), in UTF-8 with the mark that spreadsheets look for.

export type Value = string | number | null;

/** A spreadsheet takes text that begins like this for a formula, and the text is a stranger's. */
const FORMULA = /^[=+\-@\t\r]/;

const cell = (value: Value): string => {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const toCsv = (rows: Value[][]): string => rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

export const download = (name: string, rows: Value[][]): void => {
  const url = URL.createObjectURL(new Blob(['\ufeff', toCsv(rows)], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the browser may not have begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};
