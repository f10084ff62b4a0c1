import type { Details, EntryInput, Texts } from './calls.ts';
import type { ModelImage } from './state.ts';
import { isId, type Limits, locales, pictureOf } from './vocabulary.ts';

// What is wrong with an input whatever the store holds; each problem as "CODE path".

export function idProblems(id: string, path: string): string[] {
  return isId(id) ? [] : [`INVALID ${path}`];
}

export function sourceProblems(source: { url: string }, path: string): string[] {
  return pictureOf(source.url) === null ? [`INVALID ${path}.source.url`] : [];
}

export function textProblems(text: string | null | undefined, path: string, most: number): string[] {
  if (text == null) return [];
  return [
    ...([...text].length > most ? [`TEXT_TOO_LONG ${path}`] : []),
    ...(text.includes('\0') || /\p{Surrogate}/u.test(text) ? [`INVALID ${path}`] : []),
  ];
}

export function textsProblems(texts: Texts, path: string, limits: Limits): string[] {
  const tags = (texts.altTexts ?? []).map(({ locale }) => locales[locale] ?? null);
  return [
    ...textProblems(texts.altText, `${path}.altText`, limits.text),
    ...textProblems(texts.description, `${path}.description`, limits.description),
    ...(texts.altTexts ?? []).flatMap(({ text }, index) =>
      textProblems(text, `${path}.altTexts.${index}.text`, limits.text),
    ),
    ...tags.flatMap((tag, index) => {
      const place = `${path}.altTexts.${index}.locale`;
      if (tag === null) return [`INVALID ${place}`];
      return tags.indexOf(tag) < index ? [`DUPLICATE_INPUT ${place}`] : [];
    }),
  ];
}

export function detailsProblems(details: Details, limits: Limits): string[] {
  const { position = 0, focalPoint } = details;
  const axes = Object.entries(focalPoint ?? {}).filter(([, value]) => value < 0 || value > 1);
  return [
    ...textsProblems(details, 'input', limits),
    ...(position < 0 ? ['INVALID input.position'] : []),
    ...axes.map(([axis]) => `INVALID input.focalPoint.${axis}`),
  ];
}

export function entryProblems(entry: EntryInput, list: string, index: number, limits: Limits): string[] {
  const path = `input.${list}.${index}`;
  const isMisplaced = entry.type !== undefined && (entry.type === 'SPIN_360') !== (list === 'images360');
  return [
    ...(entry.id === undefined && !entry.source ? [`REQUIRED ${path}`] : []),
    ...(entry.id === undefined ? [] : idProblems(entry.id, `${path}.id`)),
    ...(entry.source ? sourceProblems(entry.source, path) : []),
    ...(isMisplaced ? [`INVALID ${path}.type`] : []),
    ...textsProblems(entry, path, limits),
  ];
}

/** The image with the texts that are given: what is left out stays, null clears. */
export function withTexts(image: ModelImage, { altText, altTexts, description }: Texts): ModelImage {
  return {
    ...image,
    ...(altText !== undefined && { altText }),
    ...(description !== undefined && { description }),
    ...(altTexts !== undefined && {
      altTexts: Object.fromEntries((altTexts ?? []).map(({ locale, text }) => [locales[locale] ?? '', text])),
    }),
  };
}

/** The image from another source, of which the bytes are not here yet; another spelling of its own is none. */
export function withSource(image: ModelImage, source: { url: string } | undefined): ModelImage {
  if (!source || pictureOf(source.url) === pictureOf(image.sourceUrl)) return image;
  // What comes from elsewhere now is no longer what a replacement added.
  return { ...image, sourceUrl: source.url, state: 'IMPORTED', contentHash: null, replacement: null };
}
