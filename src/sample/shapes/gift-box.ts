import {
  across,
  aslant,
  clipped,
  darker,
  disc,
  down,
  lighter,
  line,
  mirrored,
  path,
  repeat,
  round,
  scaled,
  transformed,
} from '../draw.ts';
import { CREAM, TERRACOTTA } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

type Point = readonly [number, number];
type Face = readonly [Point, Point, Point, Point];

const PAPER = '#3e6a63';
const RIBBON = TERRACOTTA;
const LEFT: Face = [
  [400, 590],
  [860, 680],
  [860, 1010],
  [430, 890],
];
const RIGHT: Face = [
  [860, 680],
  [1230, 580],
  [1204, 880],
  [860, 1010],
];
const TOP: Face = [
  [400, 590],
  [770, 510],
  [1230, 580],
  [860, 680],
];

export function createGiftBoxShots(): Shot[] {
  const shadows = [
    contactShadow(830, 960, 520, 90, 0.5),
    path('M430 890L860 1010L1204 880L1330 950L900 1060Z', '#2a1f1c', { 'fill-opacity': 0.1 }),
  ];
  const art = [
    ...shadows,
    drawFace(LEFT, 0.02),
    drawFace(RIGHT, 0.34),
    drawFace(TOP, -0.14),
    drawTag(),
    drawBow(),
  ].join('');
  return [
    { view: 'front', width: 1600, height: 1200, backdrop: '#ece0d6', art: scaled(1.3, [815, 960], art) },
  ];
}

/** A point of a face from its two shares, 0 to 1, along the face's sides. */
function within(face: Face, u: number, v: number): Point {
  const along = (at: 0 | 1): number => {
    const top = face[0][at] * (1 - u) + face[1][at] * u;
    const bottom = face[3][at] * (1 - u) + face[2][at] * u;
    return round(top * (1 - v) + bottom * v);
  };
  return [along(0), along(1)];
}

function patch(face: Face, left: number, top: number, right: number, bottom: number): string {
  const corners = [
    within(face, left, top),
    within(face, right, top),
    within(face, right, bottom),
    within(face, left, bottom),
  ];
  return `M${corners.map(corner => corner.join(' ')).join('L')}Z`;
}

function shade(colour: string, darkness: number): string {
  return darkness < 0 ? lighter(colour, -darkness) : darker(colour, darkness);
}

function drawFace(face: Face, darkness: number): string {
  const outline = patch(face, 0, 0, 1, 1);
  const paper = shade(PAPER, darkness);
  const ribbon = shade(RIBBON, darkness);
  const edge = { stroke: darker(paper, 0.4), 'stroke-width': 3, 'stroke-linejoin': 'round' };
  const isTop = face === TOP;
  const silk = across(darker(ribbon, 0.2), [0.3, lighter(ribbon, 0.2)], ribbon, darker(ribbon, 0.22));
  return [
    path(outline, down(lighter(paper, 0.1), darker(paper, isTop ? 0 : 0.22)), edge),
    clipped(outline, drawDots(face, lighter(paper, 0.35))),
    path(patch(face, 0.42, 0, 0.58, 1), silk),
    isTop
      ? path(patch(face, 0, 0.42, 1, 0.58), silk)
      : path(patch(face, 0, 0, 1, 0.05), '#ffffff', { 'fill-opacity': 0.12 }),
  ].join('');
}

function drawDots(face: Face, colour: string): string {
  return repeat(63, index => {
    const row = Math.floor(index / 9);
    const [x, y] = within(face, ((index % 9) + (row % 2) * 0.5 + 0.25) / 9, (row + 0.5) / 7);
    return disc(x, y, 7, 7, colour, { 'fill-opacity': 0.75 });
  });
}

function drawBow(): string {
  const knot = across(darker(RIBBON, 0.3), lighter(RIBBON, 0.2), darker(RIBBON, 0.35));
  return transformed(
    'translate(815 588)',
    disc(0, 22, 250, 44, darker(PAPER, 0.7), { 'fill-opacity': 0.35 }),
    drawTail(),
    mirrored(0, drawTail()),
    drawLoop(),
    mirrored(0, drawLoop()),
    path('M-44-52Q0-70 44-52Q58-8 44 40Q0 58-44 40Q-58-8-44-52Z', knot, {
      stroke: darker(RIBBON, 0.6),
      'stroke-width': 2,
    }),
    line('M-20-46Q-26-6-18 34M14-48Q22-6 16 36', darker(RIBBON, 0.5), 4, { 'stroke-opacity': 0.5 }),
  );
}

function drawLoop(): string {
  const edge = { stroke: darker(RIBBON, 0.6), 'stroke-width': 2 };
  return [
    path(
      'M20-20C90-150 250-190 290-120C320-50 180 30 20 20Z',
      aslant(lighter(RIBBON, 0.24), RIBBON, darker(RIBBON, 0.3)),
      edge,
    ),
    path(
      'M40-6C120-80 210-120 240-90C256-56 150-6 40-6Z',
      aslant(darker(RIBBON, 0.65), darker(RIBBON, 0.35)),
      edge,
    ),
    path('M60-60C120-130 210-160 262-136C200-140 130-110 74-46Z', '#ffffff', { 'fill-opacity': 0.22 }),
  ].join('');
}

function drawTail(): string {
  const silk = aslant(lighter(RIBBON, 0.1), darker(RIBBON, 0.3));
  return path('M10 10C80 40 120 90 210 120L190 62L262 84C200 50 120 10 40-20Z', silk, {
    stroke: darker(RIBBON, 0.6),
    'stroke-width': 2,
  });
}

function drawTag(): string {
  return transformed(
    'translate(500 752) rotate(10)',
    line('M54-46Q90-150 260-176', '#d8c39a', 5),
    path('M8-72H96L120-44V112Q120 122 110 122H-6Q-16 122-16 112V-44Z', '#1a1210', {
      'fill-opacity': 0.25,
      transform: 'translate(8 12)',
    }),
    path('M8-72H96L120-44V112Q120 122 110 122H-6Q-16 122-16 112V-44Z', down(lighter(CREAM, 0.6), CREAM)),
    disc(52, -44, 10, 10, darker(PAPER, 0.1)),
    path('M52 76C-10 30 14-12 52 18C90-12 114 30 52 76Z', RIBBON),
  );
}
