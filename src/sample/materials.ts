import { across, around, darker, down, type Fill, lighter, line, path, tiled } from './draw.ts';

export const OAK = '#bd8d5c';
export const STEEL = '#b9bec4';
export const GRAPHITE = '#34373d';
export const CREAM = '#efe7da';
export const MUSTARD = '#d9a545';
export const TERRACOTTA = '#c2694b';
export const NAVY = '#2f405f';
export const GREEN = '#4f8060';
export const SAND = '#cdb48e';

/** How cloth is drawn: `plush` from afar, `woven` close by. */
export type Cloth = (outline: string, colour: string) => string;

const THREADS = [
  '<path d="M0 2H4M4 6H8" stroke="#fff" stroke-opacity=".07" stroke-width="2"/>',
  '<path d="M2 4V8M6 0V4" stroke="#000" stroke-opacity=".06" stroke-width="2"/>',
].join('');

/**
 * A cloth's threads: almost nothing from afar, a texture close by. librsvg draws a pattern a hundred times slower
 * where its tile is turned, mirrored or not whole pixels; keep cloth upright and close-ups at quarters.
 */
export function weave(): Fill {
  return tiled(8, 8, THREADS);
}

/** A padded part: light from above left and a darker edge. */
export function plush(d: string, colour: string): string {
  const body = down(lighter(colour, 0.16), [0.45, colour], [1, darker(colour, 0.3)]);
  const glow = around(0.32, 0.18, 0.75, [0, '#ffffff', 0.26], [1, '#ffffff', 0]);
  const edge = { stroke: darker(colour, 0.5), 'stroke-opacity': 0.55, 'stroke-width': 2.5 };
  return `${path(d, body)}${path(d, glow, edge)}`;
}

/** As `plush`, with threads to be seen close by. */
export function woven(d: string, colour: string): string {
  return `${plush(d, colour)}${path(d, weave())}`;
}

/** Light and dark sides of an upright cylinder that fills the shape. */
export function cylinder(colour: string, gloss = 0.35): Fill {
  return across(
    [0, darker(colour, 0.42)],
    [0.08, darker(colour, 0.12)],
    [0.26, lighter(colour, gloss)],
    [0.42, lighter(colour, gloss * 0.25)],
    [0.68, darker(colour, 0.1)],
    [0.92, darker(colour, 0.42)],
    [1, darker(colour, 0.28)],
  );
}

/** A round rod, cable or handle along a line. */
export function tube(d: string, colour: string, width: number): string {
  const shine = { transform: `translate(${-width * 0.14} ${-width * 0.16})` };
  return [
    line(d, darker(colour, 0.42), width),
    line(d, darker(colour, 0.14), width * 0.82),
    line(d, colour, width * 0.56, shine),
    line(d, lighter(colour, 0.45), width * 0.16, { ...shine, 'stroke-opacity': 0.75 }),
  ].join('');
}

/** A flat band of leather or webbing along a line. */
export function band(d: string, colour: string, width: number, cap: 'butt' | 'round' = 'butt'): string {
  const ends = { 'stroke-linecap': cap };
  return [
    line(d, darker(colour, 0.4), width, ends),
    line(d, colour, width * 0.92, ends),
    line(d, lighter(colour, 0.16), width * 0.5, { ...ends, 'stroke-opacity': 0.5 }),
  ].join('');
}

export function stitches(d: string, colour: string, width = 3): string {
  return line(d, colour, width, { 'stroke-dasharray': `${width * 4} ${width * 2.6}`, 'stroke-opacity': 0.8 });
}

/** Turned wood, lit from the left. */
export function wood(d: string, colour = OAK): string {
  const body = across(lighter(colour, 0.28), [0.4, colour], [1, darker(colour, 0.4)]);
  return path(d, body, { stroke: darker(colour, 0.5), 'stroke-opacity': 0.4, 'stroke-width': 2 });
}

/** A rounded rectangle whose sides bulge by `bulge`, as stuffed things do. */
export function cushionPath(x: number, y: number, w: number, h: number, r: number, bulge = 0): string {
  const [right, bottom, middleX, middleY] = [x + w, y + h, x + w / 2, y + h / 2];
  return [
    `M${x + r} ${y}Q${middleX} ${y - bulge} ${right - r} ${y}Q${right} ${y} ${right} ${y + r}`,
    `Q${right + bulge} ${middleY} ${right} ${bottom - r}Q${right} ${bottom} ${right - r} ${bottom}`,
    `Q${middleX} ${bottom + bulge} ${x + r} ${bottom}Q${x} ${bottom} ${x} ${bottom - r}`,
    `Q${x - bulge} ${middleY} ${x} ${y + r}Q${x} ${y} ${x + r} ${y}Z`,
  ].join('');
}
