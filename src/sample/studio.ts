import {
  across,
  around,
  box,
  darker,
  disc,
  down,
  lighter,
  line,
  repeat,
  round,
  transformed,
} from './draw.ts';
import { createLettering } from './lettering.ts';
import type { View } from './texts.ts';

const INK = '#4a4340';
const CAP = 30;
const BADGE = 33;

/** One picture before it is named and captioned. */
export interface Shot {
  view: View;
  width: number;
  height: number;
  /** The wall's colour; null leaves the ground transparent. */
  backdrop: string | null;
  art: string;
}

/** A seamless paper wall that bends into the floor, lit from above left. */
function createBackdrop(width: number, height: number, colour: string): string {
  const wall = down(
    [0, darker(colour, 0.02)],
    [0.58, lighter(colour, 0.3)],
    [0.72, darker(colour, 0.04)],
    [1, lighter(colour, 0.2)],
  );
  const edges = across(
    [0, darker(colour, 0.6), 0.06],
    [0.35, colour, 0],
    [0.7, colour, 0],
    [1, darker(colour, 0.6), 0.14],
  );
  // Only as large as it must be: a radial gradient costs six times what a linear one does.
  const light = around(0.5, 0.5, 0.5, [0, lighter(colour, 0.6), 0.7], [1, lighter(colour, 0.6), 0]);
  return [
    box(0, 0, width, height, 0, wall),
    box(0, 0, width, height, 0, edges),
    disc(width * 0.42, height * 0.36, width * 0.4, height * 0.34, light),
  ].join('');
}

/** The shadow of something that stands on the floor at `y`. */
export function contactShadow(x: number, y: number, rx: number, ry: number, strength = 0.5): string {
  const wide = around(
    0.5,
    0.5,
    0.5,
    [0, '#2a1f1c', strength * 0.6],
    [0.5, '#2a1f1c', strength * 0.25],
    [1, '#2a1f1c', 0],
  );
  const tight = around(
    0.5,
    0.5,
    0.5,
    [0, '#1c1413', strength],
    [0.6, '#1c1413', strength * 0.7],
    [1, '#1c1413', 0],
  );
  return `${disc(x + rx * 0.06, y + ry * 0.3, rx * 1.25, ry * 1.6, wide)}${disc(x, y, rx, ry * 0.6, tight)}`;
}

/** The shadow of something that lies flat. Stacked strokes stand in for a blur, which would cost ten times as much. */
export function dropShadow(outline: string, offset: number, spread: number, strength = 0.3): string {
  const layers = 7;
  const strokes = repeat(layers, index =>
    line(outline, '#2a1f1c', (spread * (index + 1)) / layers, {
      fill: '#2a1f1c',
      opacity: strength / layers,
    }),
  );
  return transformed(`translate(${offset} ${offset * 1.3})`, strokes);
}

export interface Caption {
  product: string;
  order: number;
  view: string;
}

/** "Sofa · 1 front" on a light label, the number in a disc so that it can be read at thumbnail size. */
function createLabel(caption: Caption, width: number, height: number): string {
  const before = createLettering(`${caption.product} ·`, CAP, INK);
  const number = createLettering(String(caption.order), 36, '#ffffff', 2.3);
  const after = createLettering(caption.view, CAP, INK);
  const badge = before.width + 18 + BADGE;
  const textEnd = badge + BADGE + 18 + after.width;
  // It grows with the picture, so that all thumbnails bear labels of one size.
  const zoom = Math.max(width, height) / 1400;
  return transformed(
    `translate(${round(62 * zoom)} ${round(height - 76 * zoom)}) scale(${zoom})`,
    box(-34, CAP / 2 - 44, textEnd + 68, 88, 44, '#ffffff', { 'fill-opacity': 0.72 }),
    before.svg,
    disc(badge, CAP / 2, BADGE, BADGE, INK),
    transformed(`translate(${round(badge - number.width / 2)} ${CAP / 2 - 18})`, number.svg),
    transformed(`translate(${round(badge + BADGE + 18)} 0)`, after.svg),
  );
}

/** The whole picture as one SVG document. */
export function composeShot(shot: Shot, caption: Caption): string {
  const { width, height, backdrop, art } = shot;
  const ground = backdrop === null ? '' : createBackdrop(width, height, backdrop);
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${ground}${art}${createLabel(caption, width, height)}</svg>`;
}
