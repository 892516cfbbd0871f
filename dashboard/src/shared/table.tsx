// Tables: with their figures in line, their rows as CSV, and their pages in the address.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Listing, Pagination } from '../api/read';
import { MOST } from '../api/read';
import { hrefWith } from '../address';
import { download, type Value } from '../csv';
import * as format from '../format';
import { tables } from '../texts';
import { failureFrom } from './answer';
import { Icon } from './icons';
import { Bar } from './bar';

export interface Column<Row> {
  head: string;
  /** As CSV has it, and as the table shows it unless `show` says otherwise. */
  value: (row: Row) => Value;
  show?: (row: Row) => ComponentChildren;
  isNumber?: boolean;
  /** Cut off early, so that a table of many columns fits. */
  isShort?: boolean;
  /** Draws a bar behind the figure: of 0 to 1. */
  bar?: (row: Row) => number;
}

interface Props<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** Rows that are shown before somebody asks for all. */
  first?: number;
  isSelected?: (row: Row) => boolean;
}

const shown = <Row,>(column: Column<Row>, row: Row): ComponentChildren => {
  if (column.show) return column.show(row);
  const value = column.value(row);
  return typeof value === 'number' ? format.number(value) : format.text(value);
};

export const Table = <Row,>({ caption, columns, rows, first = Infinity, isSelected }: Props<Row>) => {
  const [areAllShown, setAllShown] = useState(false);
  const visible = areAllShown ? rows : rows.slice(0, first);
  return (
    <>
      <div class="table-scroll" role="region" aria-label={caption} tabIndex={0}>
        <table>
          <caption class="visually-hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map(({ head, isNumber }) => (
                <th key={head} scope="col" class={isNumber ? 'figure' : ''}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {visible.map((row, index) => (
              <tr key={index} class={isSelected?.(row) ? 'is-selected' : ''}>
                {columns.map((column, place) => {
                  const name = `${column.isNumber ? 'figure' : ''} ${column.bar ? 'with-bar' : ''} ${column.isShort ? 'is-short' : ''}`;
                  const content = (
                    <>
                      {column.bar && <Bar part={column.bar(row)} />}
                      {shown(column, row)}
                    </>
                  );
                  return place === 0 ? (
                    <th key={column.head} scope="row" class={name}>
                      {content}
                    </th>
                  ) : (
                    <td key={column.head} class={name}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!areAllShown && rows.length > first && (
        <button type="button" class="quiet more" onClick={() => setAllShown(true)}>
          {tables.showAll(rows.length)}
        </button>
      )}
      {rows.length === MOST && <p class="note table-note">{tables.mostOnly(MOST)}</p>}
    </>
  );
};

const asCsv = <Row,>(columns: Column<Row>[], rows: Row[]): Value[][] => [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ value }) => value(row)))];

/** Saves the rows of a table. */
export const CsvButton = <Row,>({ name, columns, rows }: { name: string; columns: Column<Row>[]; rows: Row[] }) => (
  <button type="button" class="quiet" disabled={!rows.length} onClick={() => download(`${name}.csv`, asCsv(columns, rows))} aria-label={tables.csvOf(name)}>
    <Icon name="download" /> {tables.csv}
  </button>
);

/** Pages that are fetched for one file: each costs a request of the rate limit. */
const CSV_PAGES = 20;

interface AllProps<Row> {
  name: string;
  columns: Column<Row>[];
  total: number;
  read: (page: number) => Promise<Listing<Row>>;
}

/** Saves all pages of a list, as far as that is wise. */
export const AllCsvButton = <Row,>({ name, columns, total, read }: AllProps<Row>) => {
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    const rows: Row[] = [];
    try {
      for (let page = 1; page <= CSV_PAGES; page++) {
        const { data, pagination } = await read(page);
        rows.push(...data);
        if (!pagination.has_next) break;
        setMessage(tables.saving(rows.length, Math.min(total, CSV_PAGES * MOST)));
      }
      download(`${name}.csv`, asCsv(columns, rows));
      setMessage(rows.length < total ? tables.savedFirst(rows.length, total) : '');
    } catch (error) {
      setMessage(tables.notSaved(failureFrom(error).status));
    }
    setBusy(false);
  };
  return (
    <>
      <span class="note" role="status">
        {message}
      </span>
      <button
        type="button"
        class="quiet"
        disabled={!total || isBusy}
        onClick={() => void save()}
        aria-label={tables.csvOf(name)}
        title={total > CSV_PAGES * MOST ? tables.savesFirst(CSV_PAGES * MOST) : ''}
      >
        <Icon name="download" /> {tables.csv}
      </button>
    </>
  );
};

/** The pages of a list. */
export const Pager = ({ pagination }: { pagination: Pagination }) => {
  const { page, total, total_pages, limit, has_next, has_prev } = pagination;
  if (!total) return null;
  const from = (page - 1) * limit + 1;
  const previous = Math.min(page - 1, total_pages);
  return (
    <nav class="pager" aria-label={tables.pages}>
      <span>{from > total ? tables.pastTheEnd(total) : tables.rows(from, Math.min(total, page * limit), total)}</span>
      {(total_pages > 1 || page > 1) && (
        <span class="pager-links">
          {has_prev ? <a href={hrefWith({ page: previous > 1 ? String(previous) : undefined })}>{tables.previous}</a> : <span aria-disabled="true">{tables.previous}</span>}
          {has_next ? <a href={hrefWith({ page: String(page + 1) })}>{tables.next}</a> : <span aria-disabled="true">{tables.next}</span>}
        </span>
      )}
    </nav>
  );
};

export const pageOf = (params: Record<string, string>): number => Math.max(1, Math.floor(Number(params.page)) || 1);
