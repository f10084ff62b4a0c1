/** A gradient or pattern: its definition stands beside the element that uses it, so drawings stay plain strings. */
export interface Fill {
  readonly definition: string;
  readonly reference: string;
}
export type Paint = string | Fill;
export type Stop = readonly [offset: number, colour: string, opacity?: number];
type Attributes = Record<string, string | number>;

/** `share` 0 gives `from`, 1 gives `to`; both are `#rrggbb`. */
export function mix(from: string, to: string, share: number): string {
  const channel = (at: number): string => {
    const start = Number.parseInt(from.slice(at, at + 2), 16);
    const end = Number.parseInt(to.slice(at, at + 2), 16);
    return Math.round(start + (end - start) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

export function lighter(colour: string, share: number): string {
  return mix(colour, '#ffffff', share);
}

/** Towards a warm near-black: pure black makes shadows look dirty. */
export function darker(colour: string, share: number): string {
  return mix(colour, '#17121a', share);
}

/** Coordinates with at most one decimal: enough at these sizes, and the same on every machine. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function createFill(element: string, attributes: Attributes, content: string): Fill {
  // The id is made from the content: equal fills share an id, different ones cannot meet.
  const body = `${element}${writeAttributes(attributes)}>${content}`;
  const id = `f${hash(body)}`;
  return {
    definition: `<${element} id="${id}"${body.slice(element.length)}</${element}>`,
    reference: `url(#${id})`,
  };
}

function hash(text: string): string {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0;
  return `${value.toString(36)}${text.length.toString(36)}`;
}

function writeAttributes(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? round3(value) : value}"`)
    .join('');
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function writeStops(stops: readonly (Stop | string)[]): string {
  return stops
    .map((stop, index) => {
      const [offset, colour, opacity = 1] =
        typeof stop === 'string' ? [index / (stops.length - 1), stop] : stop;
      return `<stop${writeAttributes({ offset, 'stop-color': colour, 'stop-opacity': opacity })}/>`;
    })
    .join('');
}

/** From the top of the filled shape to its bottom. */
export function down(...stops: (Stop | string)[]): Fill {
  return createFill('linearGradient', { x1: 0, y1: 0, x2: 0, y2: 1 }, writeStops(stops));
}

/** From the left of the filled shape to its right. */
export function across(...stops: (Stop | string)[]): Fill {
  return createFill('linearGradient', { x1: 0, y1: 0, x2: 1, y2: 0 }, writeStops(stops));
}

/** From the top left of the filled shape to its bottom right. */
export function aslant(...stops: (Stop | string)[]): Fill {
  return createFill('linearGradient', { x1: 0, y1: 0, x2: 1, y2: 1 }, writeStops(stops));
}

/** Outwards from a point; `x`, `y` and `r` are fractions of the filled shape. */
export function around(x: number, y: number, r: number, ...stops: (Stop | string)[]): Fill {
  return createFill('radialGradient', { cx: x, cy: y, r }, writeStops(stops));
}

export function tiled(width: number, height: number, tile: string): Fill {
  return createFill('pattern', { width, height, patternUnits: 'userSpaceOnUse' }, tile);
}

function draw(element: string, attributes: Attributes, fill: Paint, more: Attributes): string {
  const isPlain = typeof fill === 'string';
  const all = { ...attributes, fill: isPlain ? fill : fill.reference, ...more };
  return `${isPlain ? '' : fill.definition}<${element}${writeAttributes(all)}/>`;
}

export function path(d: string, fill: Paint, more: Attributes = {}): string {
  return draw('path', { d }, fill, more);
}

export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  fill: Paint,
  more: Attributes = {},
): string {
  return draw('rect', { x, y, width, height, rx: radius }, fill, more);
}

export function disc(
  x: number,
  y: number,
  rx: number,
  ry: number,
  fill: Paint,
  more: Attributes = {},
): string {
  return draw('ellipse', { cx: x, cy: y, rx, ry }, fill, more);
}

export function line(d: string, colour: Paint, width: number, more: Attributes = {}): string {
  const isPlain = typeof colour === 'string';
  const stroke = { stroke: isPlain ? colour : colour.reference, 'stroke-width': width };
  const joints = { 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  return `${isPlain ? '' : colour.definition}${path(d, 'none', { ...stroke, ...joints, ...more })}`;
}

export function transformed(transform: string, ...parts: string[]): string {
  return `<g transform="${transform}">${parts.join('')}</g>`;
}

export function mirrored(aboutX: number, ...parts: string[]): string {
  return transformed(`matrix(-1 0 0 1 ${aboutX * 2} 0)`, ...parts);
}

export function clipped(d: string, ...parts: string[]): string {
  const clip = createFill('clipPath', {}, `<path d="${d}"/>`);
  return `${clip.definition}<g clip-path="${clip.reference}">${parts.join('')}</g>`;
}

/** The part of a drawing around a point, enlarged so that the point lies in the middle of the canvas. */
export function closeUp(
  art: string,
  canvas: readonly [number, number],
  at: readonly [number, number],
  zoom: number,
): string {
  const x = Math.round(canvas[0] / 2 - at[0] * zoom);
  const y = Math.round(canvas[1] / 2 - at[1] * zoom);
  return transformed(`matrix(${zoom} 0 0 ${zoom} ${x} ${y})`, art);
}

/** The drawing, larger or smaller, with one point held in its place. */
export function scaled(zoom: number, about: readonly [number, number], ...parts: string[]): string {
  const [x, y] = [round(about[0] * (1 - zoom)), round(about[1] * (1 - zoom))];
  return transformed(`matrix(${zoom} 0 0 ${zoom} ${x} ${y})`, ...parts);
}

export function repeat(count: number, drawOne: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => drawOne(index)).join('');
}
