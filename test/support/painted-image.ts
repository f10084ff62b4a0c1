import sharp, { type Sharp } from 'sharp';
import { thumbHashToRGBA } from 'thumbhash';

export const width = 120;
export const height = 80;

export const red = [220, 30, 30];
export const green = [30, 160, 30];
export const blue = [30, 30, 220];
export const yellow = [230, 210, 20];

/** Red top left, green top right, blue bottom left, yellow bottom right; more red than anything else. */
export function paintQuarters(): Sharp {
  return paint(width, height, colourAt);
}

/** Hardly compressible, so that each tenth of the file holds something. */
export function paintNoise(): Sharp {
  let state = 1;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (state >> 16) & 255;
  };
  return paint(width, height, () => [next(), next(), next()]);
}

/** The quarters as a camera held in one of the eight ways stores them, with the tag that says so. */
export function paintTurned(orientation: number): Sharp {
  const [turnedWidth, turnedHeight] = orientation < 5 ? [width, height] : [height, width];
  const turned = paint(turnedWidth, turnedHeight, (column, row) =>
    colourAt(...findUprightPlace(orientation, row, column, width, height)),
  );
  return turned.withMetadata({ orientation });
}

/** What a thumbhash shows in its four quarters: top left, top right, bottom left, bottom right. */
export function readQuarters(thumbhash: string): number[][] {
  const { w, h, rgba } = thumbHashToRGBA(Buffer.from(thumbhash, 'base64'));
  const colourOf = (x: number, y: number) => {
    const at = (Math.floor(y * h) * w + Math.floor(x * w)) * 4;
    return findNearest([...rgba.slice(at, at + 3)]);
  };
  return [colourOf(0.2, 0.2), colourOf(0.85, 0.2), colourOf(0.2, 0.85), colourOf(0.85, 0.85)];
}

/** The one of the four colours that is meant. */
export function findNearest(colour: number[]): number[] {
  const distance = (other: number[]) =>
    Math.hypot(...other.map((value, index) => value - (colour[index] ?? 0)));
  return [green, blue, yellow].reduce((best, next) => (distance(next) < distance(best) ? next : best), red);
}

/**
 * Where a stored pixel belongs, orientation 1 to 8, by the EXIF standard's words on the 0th row and column. The size is
 * that of the upright picture.
 */
export function findUprightPlace(
  orientation: number,
  row: number,
  column: number,
  columns: number,
  rows: number,
): [x: number, y: number] {
  const [fromRight, fromBottom] = [columns - 1, rows - 1];
  const places: readonly [x: number, y: number][] = [
    [column, row],
    [fromRight - column, row],
    [fromRight - column, fromBottom - row],
    [column, fromBottom - row],
    [row, column],
    [fromRight - row, column],
    [fromRight - row, fromBottom - column],
    [row, fromBottom - column],
  ];
  return places[orientation - 1] ?? [column, row];
}

function colourAt(x: number, y: number): number[] {
  if (y < height * 0.6) return x < width * 0.6 ? red : green;
  return x < width * 0.6 ? blue : yellow;
}

function paint(columns: number, rows: number, colour: (column: number, row: number) => number[]): Sharp {
  const pixels = Array.from({ length: columns * rows }, (_, index) =>
    colour(index % columns, Math.floor(index / columns)),
  );
  return sharp(Buffer.from(pixels.flat()), { raw: { width: columns, height: rows, channels: 3 } });
}
