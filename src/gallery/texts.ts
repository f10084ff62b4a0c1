import { describeValue } from '../errors.ts';
import type { GalleryLimits } from './limits.ts';
import type { Path, Problems } from './problems.ts';

export interface LocalizedText {
  locale: string;
  text: string;
}

/** Texts as callers give them: undefined leaves what is there, null clears it. */
export interface TextsInput {
  altText?: string | null | undefined;
  altTexts?: readonly LocalizedText[] | null | undefined;
  description?: string | null | undefined;
}

/** Alt texts by canonical language tag; null when there are none. */
export type AltTexts = Record<string, string> | null;

export interface Texts {
  altText?: string | null;
  altTexts?: AltTexts;
  description?: string | null;
}

/** What all have of whom no text is given. */
export const noTexts: Texts = Object.freeze({});

/** The texts that were given, checked; what is not given is not in the answer. `noTexts` where none is. */
export function checkTexts(input: TextsInput, path: Path, limits: GalleryLimits, problems: Problems): Texts {
  if (input.altText === undefined && input.altTexts === undefined && input.description === undefined) {
    return noTexts;
  }
  const texts: Texts = {};
  if (input.altText !== undefined) {
    checkText(input.altText, [...path, 'altText'], limits.maxTextLength, problems);
    texts.altText = input.altText;
  }
  if (input.altTexts !== undefined) {
    texts.altTexts = checkAltTexts(input.altTexts ?? [], [...path, 'altTexts'], limits, problems);
  }
  if (input.description !== undefined) {
    checkText(input.description, [...path, 'description'], limits.maxDescriptionLength, problems);
    texts.description = input.description;
  }
  return texts;
}

/** Null and empty texts are fine. */
export function checkText(text: string | null, path: Path, maxLength: number, problems: Problems): void {
  if (text === null) return;
  const field = path.at(-1);
  const length = countCharacters(text, maxLength);
  if (length > maxLength) {
    problems.add('TEXT_TOO_LONG', path, `${field} has ${length} characters; at most ${maxLength}`);
  }
  if (text.includes('\0') || !text.isWellFormed()) {
    problems.add(
      'INVALID',
      path,
      `${field} holds a character that is no text (U+0000 or half a surrogate pair)`,
    );
  }
}

/** Code points; of a text that cannot have more than `maxLength` of them, what is quicker to tell. */
export function countCharacters(text: string, maxLength: number): number {
  if (text.length <= maxLength) return text.length;
  if (text !== counted.text) counted = { text, length: countCodePoints(text) };
  return counted.length;
}

/** Of a variable's text that is given to each of thousands of images, megabytes long, the length is found once. */
let counted = { text: '', length: 0 };

function countCodePoints(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}

function checkAltTexts(
  altTexts: readonly LocalizedText[],
  path: Path,
  limits: GalleryLimits,
  problems: Problems,
): AltTexts {
  const byLocale = new Map<string, string>();
  altTexts.forEach(({ locale, text }, index) => {
    const place = [...path, index];
    checkText(text, [...place, 'text'], limits.maxTextLength, problems);
    const canonical = canonicalLocale(locale);
    if (!canonical) {
      const message = `locale is ${describeValue(locale)}; it must be a BCP 47 language tag such as de or pt-BR`;
      problems.add('INVALID', [...place, 'locale'], message);
    } else if (byLocale.has(canonical)) {
      problems.add(
        'DUPLICATE_INPUT',
        [...place, 'locale'],
        `locale ${canonical} stands twice; give one text each`,
      );
    } else byLocale.set(canonical, text);
  });
  return byLocale.size > 0 ? Object.fromEntries(byLocale) : null;
}

/** Far more than any language has (RFC 5646, 4.4.1); the time that a tag takes grows with the square of its length. */
const maxTagLength = 128;

/** The tag in its standard spelling; null when it is none, or longer than any. */
export function canonicalLocale(tag: string): string | null {
  try {
    if (tag.length > maxTagLength) return null;
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

/** The text for a language, else for its parent (de-AT, de), else null (RFC 4647, 3.4: lookup). */
export function lookUpAltText(altTexts: AltTexts, tag: string): string | null {
  const parts = (canonicalLocale(tag) ?? '').split('-');
  for (; altTexts && parts.length > 0; parts.pop()) {
    const text = altTexts[parts.join('-')];
    if (text !== undefined) return text;
  }
  return null;
}
