import type { UserError } from '../errors.ts';
import type { GalleryLimits } from './limits.ts';
import type { Path, Problems } from './problems.ts';
import type { Storable } from './stored-files.ts';
import { countCharacters } from './texts.ts';

/** A file that is here already: uploaded, or found in the import directory. */
export interface StoredFile extends Storable {
  name: string;
  /** Where it lay in the import directory; null for an upload. */
  path: string | null;
}

/** Where an image comes from, as callers give it: exactly one of these. What could not be taken in is a problem. */
export interface SourceInput {
  url?: string | null | undefined;
  stored?: StoredFile | null | undefined;
  problem?: (UserError & { path: [] | [string] }) | null | undefined;
}

/** Where an image comes from, checked: an address to fetch, or a file that is here already. */
export type Source =
  | { url: string; parsed: URL; name: string; stored: null }
  | { url: null; name: string; stored: StoredFile };

/** The source, or null after telling what is wrong with it. `path` is of what it is the `source` of. */
export function checkSource(
  input: SourceInput,
  path: Path,
  limits: GalleryLimits,
  problems: Problems,
): Source | null {
  const { problem, stored } = input;
  if (problem) {
    problems.add(problem.code, [...path, 'source', ...problem.path], problem.message);
    return null;
  }
  if (stored) return { url: null, name: shortenName(cleanName(stored.name), limits.maxNameLength), stored };
  return checkUrl((input.url ?? '').trim(), path, limits, problems);
}

function checkUrl(url: string, path: Path, limits: GalleryLimits, problems: Problems): Source | null {
  const length = countCharacters(url, limits.maxUrlLength);
  if (length > limits.maxUrlLength) {
    const message = `url has ${length} characters; at most ${limits.maxUrlLength}`;
    problems.add('INVALID', [...path, 'source', 'url'], message);
    return null;
  }
  const parsed = parseWebUrl(url);
  if (!parsed) {
    const without = controlCharacter.test(url) ? ' without control characters such as line breaks' : '';
    const message = `url is ${JSON.stringify(url)}; it must be an absolute http or https URL${without}`;
    problems.add('INVALID', [...path, 'source', 'url'], message);
    return null;
  }
  return { url, parsed, name: nameOfUrl(parsed, limits.maxNameLength), stored: null };
}

/** Of these, `URL` drops some and spells others anew: what is fetched would not be what is shown. */
const controlCharacter = /\p{Cc}/u;

function parseWebUrl(text: string): URL | null {
  const isText = !controlCharacter.test(text) && text.isWellFormed();
  return isText && /^https?:\/\//i.test(text) ? URL.parse(text) : null;
}

/** Equal for two spellings of one address. */
export function canonicalUrl(url: string): string {
  return URL.parse(url)?.href ?? url;
}

/** Equal for two sources that bring one picture: the same address, or the same bytes. */
export function sourceKey(source: Source): string {
  return source.stored ? source.stored.file.hash : source.parsed.href;
}

/** The file name that a URL ends in, readable in any script; shortened from the middle, its extension kept. */
function nameOfUrl({ pathname }: URL, maxLength: number): string {
  const segment = pathname.slice(pathname.lastIndexOf('/') + 1);
  return shortenName(decodeSegment(segment) || 'image', maxLength);
}

function decodeSegment(segment: string): string {
  try {
    return cleanName(segment.includes('%') ? decodeURIComponent(segment) : segment);
  } catch {
    return segment;
  }
}

/** Control characters and separators would make it a bad file name for a download. */
function cleanName(name: string): string {
  return name.toWellFormed().replace(/[\p{Cc}/\\]/gu, '_');
}

export function shortenName(name: string, maxLength: number): string {
  if (name.length <= maxLength) return name;
  const characters = [...name];
  if (characters.length <= maxLength) return name;
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
  return characters.slice(0, maxLength - extension.length).join('') + extension;
}
