import { idRule, isId } from '../data/ids.ts';
import type { PageRequest } from '../data/page.ts';
import { BadInput, describeValue } from '../errors.ts';

/** How much one read may ask for. */
export interface ReadLimits {
  pageSize: number;
  maxPageSize: number;
  maxIdsInRead: number;
}

/** The id as given, or BadInput; `name` is the argument's. */
export function readId(id: string, name: string): string {
  if (isId(id)) return id;
  throw new BadInput(`${name} is ${describeValue(id)}; it must be ${idRule}`);
}

export function readIds(ids: readonly string[], name: string, limits: ReadLimits): readonly string[] {
  limitIds(ids, name, limits);
  ids.forEach((id, index) => {
    readId(id, `${name}[${index}]`);
  });
  return ids;
}

/** Ids of other services, too, which are told again as they came. Longer than any that one has. */
const maxForeignIdLength = 255;

/** The id as given, whatever it is; @throws {BadInput} for what is too long for one */
export function readForeignId(id: string, name: string): string {
  if (id.length <= maxForeignIdLength) return id;
  throw new BadInput(`${name} has ${id.length} characters; an id has at most ${maxForeignIdLength}`);
}

/** Any texts: a gateway's ids come from other services, and one that is none here must not fail the others. */
export function limitIds<Id>(ids: readonly Id[], name: string, { maxIdsInRead }: ReadLimits): readonly Id[] {
  if (ids.length <= maxIdsInRead) return ids;
  throw new BadInput(`${name} has ${ids.length} ids; at most ${maxIdsInRead}`);
}

export interface PageArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** `readCursor` makes of a cursor's text what the list understands. */
export function readPage<Cursor>(
  page: PageArguments,
  limits: ReadLimits,
  readCursor: (text: string, name: string) => Cursor,
): PageRequest<Cursor> {
  if (page.first != null && page.last != null) {
    throw new BadInput(`first is ${page.first} and last is ${page.last}; give one of them`);
  }
  // A page before a cursor, its size left open, is the one that ends there.
  const backward = page.last != null || (page.first == null && page.before != null && page.after == null);
  return {
    backward,
    limit: backward ? readSize(page.last, 'last', limits) : readSize(page.first, 'first', limits),
    after: page.after == null ? null : readCursor(page.after, 'after'),
    before: page.before == null ? null : readCursor(page.before, 'before'),
  };
}

function readSize(size: number | null | undefined, name: string, limits: ReadLimits): number {
  if (size == null) return limits.pageSize;
  if (size >= 1 && size <= limits.maxPageSize) return size;
  throw new BadInput(`${name} is ${size}; from 1 to ${limits.maxPageSize}`);
}
