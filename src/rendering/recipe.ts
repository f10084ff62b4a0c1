import { BadInput } from '../errors.ts';
import { type EncodingName, encodings, findEncoding } from './formats.ts';

/** How a rendition is made from its original, to the pixel; all that an address says of it. */
export interface Recipe {
  /** Of the result, in pixels; never more than the original has. */
  width: number;
  height: number;
  /** The spot that cropping keeps, in per mille from the top left; null where nothing is cropped. */
  focus: { x: number; y: number } | null;
  /** 1 to 100; null for the default of the encoding. */
  quality: number | null;
  encoding: EncodingName;
  /** AVIF or WebP instead of `encoding` where the client accepts it. */
  negotiated: boolean;
}

export interface RecipeBounds {
  /** Of the longer side of what is made, in pixels. */
  maxSide: number;
}

type Groups = Record<string, string | undefined>;

/** What an option becomes in an address. `pattern` is a regular expression whose named groups `read` understands. */
interface Token<Part> {
  example: string;
  pattern: string;
  format(recipe: Recipe): string;
  read(groups: Groups): Part;
}

function number<Part extends Token<unknown> | null>(option: {
  type: 'Int' | 'Float';
  min: number;
  max: number | keyof RecipeBounds;
  initial: number | null;
  description: string;
  token: Part;
}) {
  return option;
}

function choice<Name extends string, Part extends Token<unknown>>(option: {
  type: 'ImageFit' | 'ImageFormat';
  choices: Record<Name, string>;
  initial: NoInfer<Name>;
  description: string;
  token: Part;
}) {
  return option;
}

/** All that can be asked of a picture, in the order of an address: the API, the addresses and the README follow from it. */
export const transformOptions = {
  width: number({
    type: 'Int',
    min: 1,
    max: 'maxSide',
    initial: null,
    description: 'Pixels from left to right; left out, as many as the height entails.',
    token: {
      example: '386x',
      pattern: '(?<width>[1-9]\\d{0,4})x',
      format: ({ width }) => `${width}x`,
      read: ({ width }) => Number(width),
    },
  }),
  height: number({
    type: 'Int',
    min: 1,
    max: 'maxSide',
    initial: null,
    description: 'Pixels from top to bottom; left out, as many as the width entails.',
    token: {
      example: '513',
      pattern: '(?<height>[1-9]\\d{0,4})',
      format: ({ height }) => `${height}`,
      read: ({ height }) => Number(height),
    },
  }),
  fit: choice({
    type: 'ImageFit',
    choices: {
      CONTAIN: 'The whole picture in its own shape; one side may come out shorter than asked for.',
      COVER:
        'Exactly the shape asked for; what sticks out is cut off, as far as may be from the focal point.',
      FILL: 'Exactly the shape asked for; the picture is distorted where it has another.',
    },
    initial: 'CONTAIN',
    description: 'How a picture of another shape gets into width and height.',
    token: {
      example: '-cover-500-333',
      pattern: '(?:-cover-(?<x>0|[1-9]\\d{0,3})-(?<y>0|[1-9]\\d{0,3}))?',
      format: ({ focus }) => (focus ? `-cover-${focus.x}-${focus.y}` : ''),
      read: ({ x, y }) => (x && y ? { x: Number(x), y: Number(y) } : null),
    },
  }),
  quality: number({
    type: 'Int',
    min: 1,
    max: 100,
    initial: null,
    description:
      'What JPEG, WebP and AVIF may lose: the lower, the smaller the file; left out, what suits the format.',
    token: {
      example: '-q80',
      pattern: '(?:-q(?<quality>[1-9]\\d{0,2}))?',
      format: ({ quality }) => (quality === null ? '' : `-q${quality}`),
      read: ({ quality }) => (quality ? Number(quality) : null),
    },
  }),
  format: choice({
    type: 'ImageFormat',
    choices: {
      AUTO: 'What the client accepts: AVIF, else WebP, else JPEG, or PNG where the original may be transparent.',
      ORIGINAL: "The original's own; the untouched original where neither size nor quality is asked for.",
      JPEG: 'JPEG, white where the original is transparent.',
      PNG: 'PNG, which loses nothing but is large.',
      WEBP: 'WebP, for clients known to show it.',
      AVIF: 'AVIF, for clients known to show it; the smallest.',
    },
    initial: 'AUTO',
    description: 'The format that the picture is handed out in.',
    token: {
      example: '-auto.jpg',
      pattern: `(?<auto>-auto)?\\.(?<extension>${encodings.map(({ extension }) => extension).join('|')})`,
      format: ({ encoding, negotiated }) =>
        `${negotiated ? '-auto' : ''}.${findEncoding(encoding).extension}`,
      read: ({ auto, extension }) => ({
        encoding: encodings.find(encoding => encoding.extension === extension)?.name ?? 'jpeg',
        negotiated: auto !== undefined,
      }),
    },
  }),
  dpr: number({
    type: 'Float',
    min: 1,
    max: 3,
    initial: 1,
    description: 'Multiplies width and height for dense displays, within their bounds.',
    token: null,
  }),
};

type Options = typeof transformOptions;
type ValueOf<Option> = Option extends { choices: Record<infer Name, string> } ? Name : number;

/** What is asked for. */
export type Transform = { [Name in keyof Options]?: ValueOf<Options[Name]> | null | undefined };

const tokens: Token<unknown>[] = Object.values(transformOptions).flatMap(({ token }) => token ?? []);
const recipePattern = new RegExp(`^${tokens.map(({ pattern }) => pattern).join('')}$`);

/** As it stands in an address, such as `386x513-cover-500-333-q80-auto.jpg`. */
export function formatRecipe(recipe: Recipe): string {
  let text = '';
  for (const token of tokens) text += token.format(recipe);
  return text;
}

export function parseRecipe(text: string): Recipe | null {
  const groups = recipePattern.exec(text)?.groups;
  if (!groups) return null;
  const { width, height, fit, quality, format } = transformOptions;
  return {
    width: width.token.read(groups),
    height: height.token.read(groups),
    focus: fit.token.read(groups),
    quality: quality.token.read(groups),
    ...format.token.read(groups),
  };
}

/** @throws {BadInput} for the first value that is out of bounds */
export function checkTransform(transform: Transform, bounds: RecipeBounds): void {
  for (const name of ['width', 'height', 'quality', 'dpr'] as const) {
    const value = transform[name];
    const { min, max } = transformOptions[name];
    if (value != null) checkRange(name, value, min, typeof max === 'number' ? max : bounds[max]);
  }
  for (const name of ['width', 'height'] as const) {
    const pixels = multiplySide(transform, name);
    if (pixels === null || pixels <= bounds.maxSide) continue;
    const given = `${name} is ${transform[name]} at dpr ${transform.dpr}`;
    throw new BadInput(`${given}, which makes ${pixels}; at most ${bounds.maxSide}`);
  }
}

/** In pixels of the result; null where it is left open. */
export function multiplySide(transform: Transform, name: 'width' | 'height'): number | null {
  const side = transform[name];
  return side == null ? null : Math.round(side * (transform.dpr ?? 1));
}

export function checkRange(name: string, value: number, min: number, max: number): void {
  if (value > max) throw new BadInput(`${name} is ${value}; at most ${max}`);
  // Also what is no number at all.
  if (!(value >= min)) throw new BadInput(`${name} is ${value}; at least ${min}`);
}
