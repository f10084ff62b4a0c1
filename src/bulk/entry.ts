import type { UserError } from '../errors.ts';
import type { LocalizedText } from '../gallery/texts.ts';

/** An image as a line of a file tells of it, nothing checked yet; '' and null stand for what it does not say. */
export interface Entry {
  productId: string;
  /** A URL, or a path in the import directory. */
  source: string;
  type: string;
  altText: string | null;
  altTexts: LocalizedText[];
  description: string | null;
  position: string;
  /** What the file counts positions from. */
  firstPosition: 0 | 1;
  isThumbnail: string;
  focalX: string;
  focalY: string;
  /** What the file's own shape makes wrong with it. */
  problems: UserError[];
}

export function newEntry(productId: string, source: string): Entry {
  return {
    productId,
    source,
    type: '',
    altText: null,
    altTexts: [],
    description: null,
    position: '',
    firstPosition: 0,
    isThumbnail: '',
    focalX: '',
    focalY: '',
    problems: [],
  };
}

/** Something wrong with a line, said in the words of the API's user errors. */
export function problemWith(field: string, code: UserError['code'], message: string): UserError {
  return { code, path: [field], message };
}

/** What the lines to come need to know of those before; kept when an import breaks off. */
export type Carry = Record<string, string>;

/** How the columns of a file are to be read: which system's they are, and what they say. */
export interface Layout {
  name: string;
  /** Columns that say nothing that is imported; people are told of them. */
  ignoredColumns: string[];
  /** The images of a line, none for one that tells of something else. May change `carry`. */
  readEntries(values: readonly string[], carry: Carry): Entry[];
}

export interface LayoutOptions {
  /** A column that holds the product ids where the file's own columns do not. */
  productIdColumn: string | null;
  /** Product ids by Shopify handle. */
  productIds: ReadonlyMap<string, string> | null;
}

/** Headers are compared without regard to case and to what parts their words. */
export function normalizeHeader(header: string): string {
  return header.toLowerCase().replace(/[\s_-]+/g, '');
}

/** The columns of a file by their normalized headers. */
export class Columns {
  readonly headers: readonly string[];
  readonly #used = new Set<number>();

  constructor(headers: readonly string[]) {
    this.headers = headers.map(header => header.trim());
  }

  has(...names: string[]): boolean {
    return names.some(name => this.#indexOf(name) >= 0);
  }

  /** Reads the column by the first of the names that the file has; '' where it has none. */
  take(...names: string[]): (values: readonly string[]) => string {
    const name = names.find(candidate => this.has(candidate));
    return name === undefined ? () => '' : this.takeAt(this.#indexOf(name));
  }

  takeAt(index: number): (values: readonly string[]) => string {
    this.#used.add(index);
    return values => values[index] ?? '';
  }

  /** Tells that a column is known and needs no reading. */
  pass(...names: string[]): void {
    for (const name of names) this.take(name);
  }

  get unused(): string[] {
    return this.headers.filter((header, index) => header !== '' && !this.#used.has(index));
  }

  #indexOf(name: string): number {
    const normalized = normalizeHeader(name);
    return this.headers.findIndex(header => normalizeHeader(header) === normalized);
  }
}
