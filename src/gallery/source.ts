import type { GalleryLimits } from './limits.ts';
import type { Path, Problems } from './problems.ts';

/** Where an image comes from, as callers give it: exactly one of these. */
export interface SourceInput {
  url?: string | null | undefined;
}

/** Where an image comes from, checked. */
export interface Source {
  url: string;
  name: string;
}

/** The source, or null after telling what is wrong with it. */
export function checkSource(
  input: SourceInput,
  path: Path,
  limits: GalleryLimits,
  problems: Problems,
): Source | null {
  const place = [...path, 'url'];
  const url = (input.url ?? '').trim();
  if (url.length > limits.maxUrlLength) {
    problems.add('INVALID', place, `url has ${url.length} characters; at most ${limits.maxUrlLength}`);
    return null;
  }
  if (!isWebUrl(url)) {
    const message = `url is ${JSON.stringify(url)}; it must be an absolute http or https URL`;
    problems.add('INVALID', place, message);
    return null;
  }
  return { url, name: nameOfUrl(url, limits.maxNameLength) };
}

function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && !text.includes('\0') && text.isWellFormed() && URL.canParse(text);
}

/** Equal for two spellings of one address. */
export function canonicalUrl(url: string): string {
  return URL.parse(url)?.href ?? url;
}

/** The file name that a URL ends in, readable in any script; shortened from the middle, its extension kept. */
export function nameOfUrl(url: string, maxLength: number): string {
  const segment = new URL(url).pathname.split('/').at(-1) ?? '';
  return shortenName(decodeSegment(segment) || 'image', maxLength);
}

function decodeSegment(segment: string): string {
  try {
    // Control characters and separators would make it a bad file name for a download.
    return decodeURIComponent(segment).replace(/[\p{Cc}/\\]/gu, '_');
  } catch {
    return segment;
  }
}

export function shortenName(name: string, maxLength: number): string {
  const characters = [...name];
  if (characters.length <= maxLength) return name;
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
  return characters.slice(0, maxLength - extension.length).join('') + extension;
}
