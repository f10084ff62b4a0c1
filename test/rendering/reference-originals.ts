import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { jpegSegment, pngChunk, withSegments } from '../support/broken-images.ts';
import { findUprightPlace } from '../support/painted-image.ts';
import {
  adobeRgb,
  adobeTransfer,
  createGreyProfile,
  createRgbProfile,
  standardRgb,
  standardTransfer,
} from './colour-profile.ts';

/** Of every original, upright. */
export const width = 240;
export const height = 160;

export interface Original {
  /** Of its file, without extension; the orientation is its last character. */
  name: string;
  path: string;
  bytes: Buffer;
  extension: string;
  orientation: number;
  isTransparent: boolean;
  isCmyk: boolean;
  hasProfile: boolean;
}

export interface ProfilePaths {
  adobe: string;
  standard: string;
  grey: string;
  cmyk: string;
}

interface Kind {
  extension: string;
  isTransparent?: boolean;
  canTurn?: boolean;
  encode(image: Sharp, profiles: ProfilePaths, orientation: number): Sharp;
}

const kinds: Record<string, Kind> = {
  jpeg: { extension: 'jpg', encode: image => image.jpeg({ quality: 95 }) },
  'jpeg-progressive': {
    extension: 'jpg',
    canTurn: false,
    encode: image => image.jpeg({ quality: 95, progressive: true }),
  },
  'jpeg-p3': { extension: 'jpg', encode: image => image.withIccProfile('p3').jpeg({ quality: 95 }) },
  'jpeg-adobe': {
    extension: 'jpg',
    encode: (image, { adobe }) => image.withIccProfile(adobe).jpeg({ quality: 95 }),
  },
  'jpeg-grey': { extension: 'jpg', encode: image => image.toColourspace('b-w').jpeg({ quality: 95 }) },
  'jpeg-grey-profile': {
    extension: 'jpg',
    encode: (image, { grey }) => image.toColourspace('b-w').withIccProfile(grey).jpeg({ quality: 95 }),
  },
  'jpeg-cmyk-profile': {
    extension: 'jpg',
    encode: image => image.toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }),
  },
  'jpeg-cmyk': {
    extension: 'jpg',
    canTurn: false,
    encode: image =>
      image.toColourspace('cmyk').withIccProfile('cmyk', { attach: false }).jpeg({ quality: 95 }),
  },
  png: { extension: 'png', encode: image => image.png() },
  'png-interlaced': { extension: 'png', canTurn: false, encode: image => image.png({ progressive: true }) },
  'png-16': { extension: 'png', canTurn: false, encode: image => image.toColourspace('rgb16').png() },
  'png-16-p3': {
    extension: 'png',
    encode: image => image.toColourspace('rgb16').withIccProfile('p3').png(),
  },
  'png-16-grey': { extension: 'png', canTurn: false, encode: image => image.toColourspace('grey16').png() },
  'png-palette': { extension: 'png', canTurn: false, encode: image => image.png({ palette: true }) },
  'png-transparent': { extension: 'png', isTransparent: true, encode: image => image.png() },
  'png-transparent-p3': {
    extension: 'png',
    isTransparent: true,
    encode: image => image.withIccProfile('p3').png(),
  },
  'png-16-transparent-p3': {
    extension: 'png',
    isTransparent: true,
    encode: image => image.toColourspace('rgb16').withIccProfile('p3').png(),
  },
  'png-transparent-grey': {
    extension: 'png',
    isTransparent: true,
    encode: image => image.toColourspace('b-w').png(),
  },
  'png-transparent-palette': {
    extension: 'png',
    canTurn: false,
    isTransparent: true,
    encode: image => image.png({ palette: true }),
  },
  webp: { extension: 'webp', encode: encodeWebp('srgb') },
  'webp-p3': { extension: 'webp', encode: encodeWebp('p3') },
  'webp-transparent': {
    extension: 'webp',
    isTransparent: true,
    encode: encodeWebp('srgb'),
  },
  gif: { extension: 'gif', canTurn: false, encode: image => image.gif() },
  'gif-transparent': {
    extension: 'gif',
    isTransparent: true,
    canTurn: false,
    encode: image => image.gif(),
  },
};

/** One file of each kind for each orientation, where the format knows orientations. */
export async function writeOriginals(folder: string, profiles: ProfilePaths): Promise<Original[]> {
  const wanted = Object.entries(kinds).flatMap(([name, kind]) =>
    (kind.canTurn === false ? [1] : [1, 2, 3, 4, 5, 6, 7, 8]).map(orientation => ({
      name,
      kind,
      orientation,
    })),
  );
  await mkdir(join(folder, 'originals'));
  const scenes = new Map<string, Sharp>();
  const find = (orientation: number, isTransparent: boolean): Sharp => {
    const key = `${orientation} ${isTransparent}`;
    const scene = scenes.get(key) ?? paintScene(orientation, isTransparent);
    scenes.set(key, scene);
    return scene.clone();
  };
  return Promise.all(
    wanted.map(async ({ name, kind, orientation }) => {
      const { extension, isTransparent = false, encode } = kind;
      const encoded = await encode(find(orientation, isTransparent), profiles, orientation).toBuffer();
      const bytes = tagOrientation(encoded, extension, orientation);
      const path = join(folder, 'originals', `${name}-${orientation}.${extension}`);
      await writeFile(path, bytes);
      const isCmyk = name.includes('cmyk');
      const hasProfile = (await sharp(bytes).metadata()).icc !== undefined;
      const file = { name: `${name}-${orientation}`, path, bytes, extension };
      return { ...file, orientation, isTransparent, isCmyk, hasProfile };
    }),
  );
}

export async function writeProfiles(folder: string): Promise<ProfilePaths> {
  const paths = {
    adobe: join(folder, 'adobe.icc'),
    standard: join(folder, 'standard.icc'),
    grey: join(folder, 'grey.icc'),
    cmyk: join(folder, 'cmyk.icc'),
  };
  await writeFile(paths.adobe, createRgbProfile(adobeRgb, adobeTransfer));
  await writeFile(paths.standard, createRgbProfile(standardRgb, standardTransfer));
  await writeFile(
    paths.grey,
    createGreyProfile(value => value ** 1.4),
  );
  // The one that libvips has built in, and takes where an original brings none.
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#ffffff' } });
  const tagged = await pixel.toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer();
  await writeFile(paths.cmyk, (await sharp(tagged).metadata()).icc ?? '');
  return paths;
}

/** sharp tags no other file without giving it a profile, too. */
function encodeWebp(icc: string): Kind['encode'] {
  return (image, _profiles, orientation) => image.withMetadata({ orientation, icc }).webp({ quality: 95 });
}

function tagOrientation(bytes: Buffer, extension: string, orientation: number): Buffer {
  const exif = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  exif.writeUInt16BE(orientation, 18);
  if (extension === 'jpg') {
    return withSegments(bytes, jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif])));
  }
  if (extension !== 'png') return bytes;
  const afterHeader = 33;
  return Buffer.concat([bytes.subarray(0, afterHeader), pngChunk('eXIf', exif), bytes.subarray(afterHeader)]);
}

/** As a camera held that way stores it. */
function paintScene(orientation: number, isTransparent: boolean): Sharp {
  const channels = isTransparent ? 4 : 3;
  const [columns, rows] = orientation < 5 ? [width, height] : [height, width];
  const pixels = Buffer.alloc(columns * rows * channels);
  for (let index = 0; index < columns * rows; index += 1) {
    const [x, y] = findUprightPlace(orientation, Math.floor(index / columns), index % columns, width, height);
    const [red, green, blue, opacity] = colourAt(x / width, y / width);
    pixels.set(isTransparent ? [red, green, blue, opacity] : [red, green, blue], index * channels);
  }
  return sharp(pixels, { raw: { width: columns, height: rows, channels } });
}

/** Colours that change slowly, light that changes fast, nothing alike on two sides; and a hole in the middle. */
function colourAt(x: number, y: number): [red: number, green: number, blue: number, opacity: number] {
  const texture = 45 * Math.sin(75 * x + 9 * y) * Math.sin(70 * y - 14 * x + 20 * x * y);
  const channel = (phase: number) =>
    128 + 80 * Math.sin(5 * x + phase) * Math.cos(4 * y - phase * x) + texture;
  const opacity = 255 * Math.min(1, Math.max(0, 6 * Math.hypot(x - 0.45, y - 0.3) - 0.5));
  return [clamp(channel(0.3)), clamp(channel(2.2)), clamp(channel(4.4)), clamp(opacity)];
}

function clamp(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 255));
}
