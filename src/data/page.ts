/** Which part of an ordered list: `limit` rows after or before a cursor; from the end when `backward`. */
export interface PageRequest<Cursor> {
  limit: number;
  backward: boolean;
  after: Cursor | null;
  before: Cursor | null;
}

export interface Page<Row> {
  /** In the list's order, whichever way it was read. */
  rows: Row[];
  hasNext: boolean;
  hasPrevious: boolean;
}

/**
 * How many rows are read for a page of so many: one that is surplus tells that there are more. Where nobody asks for
 * that, the page says that there are none.
 */
export function countRead(limit: number, looksAhead: boolean): number {
  return looksAhead ? limit + 1 : limit;
}

/** Makes a page of the rows as they were read: from the end of the list when `backward`. */
export function createPage<Row>(read: Row[], request: PageRequest<unknown>): Page<Row> {
  const more = read.length > request.limit;
  const rows = more ? read.slice(0, request.limit) : read;
  if (request.backward) {
    return { rows: rows.reverse(), hasPrevious: more, hasNext: request.before !== null };
  }
  return { rows, hasNext: more, hasPrevious: request.after !== null };
}
