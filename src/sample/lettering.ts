import { line, transformed } from './draw.ts';

// Strokes, not text: a machine without fonts would draw boxes. Cap height 14, x-height 9, baseline at 14.
const BOWL = 'M8 9.5a4 4.5 0 1 1-8 0a4 4.5 0 1 1 8 0';
const GLYPHS: Record<string, readonly [advance: number, strokes: string]> = {
  a: [8, `${BOWL}M8 5V14`],
  b: [8, `${BOWL}M0 0V14`],
  c: [7.2, 'M7.2 6.7A4.1 4.5 0 1 0 7.2 12.3'],
  d: [8, `${BOWL}M8 0V14`],
  e: [8, 'M0 9.3H8A4 4.4 0 1 0 6.8 12.7'],
  f: [5, 'M5.4 .4C3.4-.4 2 .9 2 3V14M0 5.3H5'],
  g: [8, `${BOWL}M8 5V14.4C8 19 1.9 19.4.6 16.6`],
  h: [7.5, 'M0 0V14M0 9.4C0 3.6 7.5 3.6 7.5 9V14'],
  i: [0, 'M0 5.3V14M0 1.5V1.6'],
  j: [1, 'M1 5.3V15.6C1 18 0 18.6-1.6 18.4M1 1.5V1.6'],
  k: [7, 'M0 0V14M6.4 5.3L0 10.6M2.6 8.6L7 14'],
  l: [0, 'M0 0V14'],
  m: [12.4, 'M0 5.3V14M0 9C0 3.8 6.2 3.8 6.2 9V14M6.2 9C6.2 3.8 12.4 3.8 12.4 9V14'],
  n: [7.5, 'M0 5.3V14M0 9.4C0 3.6 7.5 3.6 7.5 9V14'],
  o: [8, BOWL],
  p: [8, `${BOWL}M0 5.3V18.6`],
  q: [8, `${BOWL}M8 5.3V18.6`],
  r: [4.6, 'M0 5.3V14M0 9.2C0 6 2 4.8 4.6 5.3'],
  s: [6.4, 'M6 6.7C5 4.5.6 4.6.6 7.3C.6 10.2 6.4 8.9 6.4 11.7C6.4 14.7 1 14.7 0 12.3'],
  t: [5, 'M2 1.8V11C2 13.6 3.5 14.3 5.2 13.7M0 5.3H5'],
  u: [7.5, 'M0 5.3V9.8C0 15.4 7.5 15.4 7.5 9.8M7.5 5.3V14'],
  v: [7.6, 'M0 5.3L3.8 14L7.6 5.3'],
  w: [11.2, 'M0 5.3L2.9 14L5.6 6.3L8.3 14L11.2 5.3'],
  x: [7, 'M0 5.3L7 14M7 5.3L0 14'],
  y: [7.6, 'M0 5.3L3.9 13.8M7.6 5.3L3.4 15.4C2.7 17.6 1.8 18.6 0 18.4'],
  z: [6.8, 'M0 5.3H6.6L0 14H6.8'],
  B: [8.4, 'M0 0V14H4.4C9.7 14 9.7 6.6 4.4 6.6C8.8 6.6 8.8 0 4.2 0H0M0 6.6H4.4'],
  C: [11, 'M11 2.7A6.6 7 0 1 0 11 11.3'],
  D: [10, 'M0 0V14H3.4C12.2 14 12.2 0 3.4 0H0'],
  G: [11.4, 'M10.8 2.5A6.6 7 0 1 0 11.4 10V7.6H7.2'],
  H: [9.6, 'M0 0V14M9.6 0V14M0 6.8H9.6'],
  M: [12, 'M0 14V0L6 9.4L12 0V14'],
  S: [8.4, 'M7.9 2.5C6.6-1.2.6-.9.6 3.3C.6 8 8.4 5.7 8.4 10.4C8.4 15.2 1 15.1 0 11'],
  T: [9.6, 'M0 0H9.6M4.8 0V14'],
  W: [16, 'M0 0L4 14L8 1.6L12 14L16 0'],
  '0': [8, 'M8 7a4 7 0 1 1-8 0a4 7 0 1 1 8 0'],
  '1': [4, 'M0 3L4 0V14'],
  '2': [7.6, 'M.4 3.4C.8-1.2 7.6-1.1 7.4 3.8C7.3 6.8 2.4 10.4 0 14H7.8'],
  '3': [
    7.6,
    'M.4 2.4C1.8-1 7.2-.7 7.2 3.3C7.2 6 5 6.6 3 6.6C5.4 6.6 7.8 7.4 7.8 10.2C7.8 15 1.2 15.2 0 11.4',
  ],
  '4': [8.4, 'M6.2 14V0L0 9.8H8.4'],
  '5': [7.8, 'M7 0H1.4L.8 6.2C3.6 4.4 7.8 5.6 7.8 9.4C7.8 14.8 1.2 15.4 0 11.6'],
  '6': [8, 'M6.6.4C2.6 2 0 5.4 0 9.6A4 4.3 0 1 0 8 9.6A4 4.3 0 0 0 .4 8'],
  '7': [7.4, 'M0 0H7.6L2.4 14'],
  '8': [8, 'M4 6.5a3.3 3.2 0 1 1 .1 0a4 3.8 0 1 1-.1 0'],
  '9': [8, 'M1.4 13.6C5.4 12 8 8.6 8 4.4A4 4.3 0 1 0 0 4.4A4 4.3 0 0 0 7.6 6'],
  '°': [3.6, 'M3.6 1.8a1.8 1.8 0 1 1-3.6 0a1.8 1.8 0 1 1 3.6 0'],
  '·': [0, 'M0 8V8.1'],
  '-': [4.6, 'M0 9H4.6'],
  ' ': [3, ''],
};
const GAP = 3.2;

export interface Lettering {
  svg: string;
  /** In pixels, at the size asked for. */
  width: number;
}

/** One line of strokes, its top left at 0, 0; throws on a character that has no strokes. */
export function createLettering(text: string, capHeight: number, colour: string, weight = 1.7): Lettering {
  let x = 0;
  const letters: string[] = [];
  for (const character of text) {
    const glyph = GLYPHS[character];
    if (!glyph) throw new Error(`no strokes for "${character}" in "${text}"; draw it in lettering.ts`);
    if (glyph[1])
      letters.push(transformed(`translate(${Math.round(x * 10) / 10} 0)`, line(glyph[1], colour, weight)));
    x += glyph[0] + GAP;
  }
  const scale = capHeight / 14;
  return { svg: transformed(`scale(${scale})`, ...letters), width: Math.max(0, x - GAP) * scale };
}
