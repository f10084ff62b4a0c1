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

/** Makes a page of up to `limit + 1` rows in list order; the surplus row only tells that there are more. */
export function createPage<Row>(rows: Row[], request: PageRequest<unknown>): Page<Row> {
  const more = rows.length > request.limit;
  if (request.backward) {
    return { rows: more ? rows.slice(1) : rows, hasPrevious: more, hasNext: request.before !== null };
  }
  return {
    rows: more ? rows.slice(0, request.limit) : rows,
    hasNext: more,
    hasPrevious: request.after !== null,
  };
}
