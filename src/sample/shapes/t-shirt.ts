import {
  across,
  aslant,
  box,
  clipped,
  closeUp,
  darker,
  disc,
  down,
  lighter,
  line,
  mirrored,
  path,
  transformed,
} from '../draw.ts';
import { CREAM, stitches, weave } from '../materials.ts';
import { dropShadow, type Shot } from '../studio.ts';
import type { View } from '../texts.ts';

const WALL = '#e9e6e0';
const CANVAS = [1200, 1600] as const;
const BODY = [
  'M470 300Q600 352 730 300L800 330Q930 366 990 440L1110 690Q1116 706 1100 714L956 772Q938 778 930 762L888 660',
  'C880 880 884 1120 900 1330Q902 1352 880 1356Q600 1384 320 1356Q298 1352 300 1330C316 1120 320 880 312 660',
  'L270 762Q262 778 244 772L100 714Q84 706 90 690L210 440Q270 366 400 330Z',
].join('');

export function createTShirtShots(colour: string): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  const front = drawFront(colour);
  return [
    { ...shot, view: 'front', art: front },
    { ...shot, view: 'back', art: drawBack(colour) },
    { ...shot, view: 'detail', art: closeUp(front, CANVAS, [600, 530], 2) },
  ];
}

/** A folded corner of the cloth, to show its colour. */
export function createSwatchShot(view: View, colour: string): Shot {
  const fold = 'M0 800L800 300V800Z';
  const cloth = aslant(lighter(colour, 0.22), colour, darker(colour, 0.25));
  const art = [
    box(0, 0, 800, 800, 0, cloth),
    path('M0 760L800 250V400L0 800Z', down([0, '#000000', 0], [1, '#000000', 0.35])),
    path(fold, aslant(lighter(colour, 0.3), [0.5, colour], darker(colour, 0.2))),
    stitches('M0 836L800 336', lighter(colour, 0.5), 4),
    box(0, 0, 800, 800, 0, weave()),
  ];
  return { view, width: 800, height: 800, backdrop: null, art: art.join('') };
}

function drawCloth(colour: string): string {
  const form = across(
    darker(colour, 0.3),
    [0.22, colour],
    [0.38, lighter(colour, 0.12)],
    [0.7, colour],
    darker(colour, 0.36),
  );
  return [
    dropShadow(BODY, 14, 56, 0.3),
    path(BODY, form),
    clipped(BODY, drawFolds(colour), drawSleeve(colour), mirrored(600, drawSleeve(colour)), drawHem(colour)),
    path(BODY, 'none', { stroke: darker(colour, 0.5), 'stroke-opacity': 0.5, 'stroke-width': 3 }),
  ].join('');
}

function drawFolds(colour: string): string {
  const dark = darker(colour, 0.55);
  const light = lighter(colour, 0.5);
  const shade = across([0, dark, 0], [0.5, dark, 0.34], [1, dark, 0]);
  const shine = across([0, light, 0], [0.5, light, 0.26], [1, light, 0]);
  return [
    path('M330 620Q420 900 360 1380H440Q500 900 330 620Z', shade),
    path('M420 560Q520 900 470 1380H540Q590 900 420 560Z', shine),
    path('M870 620Q760 900 830 1380H740Q690 900 870 620Z', shade),
    path('M780 700Q690 1000 720 1380H650Q640 1000 780 700Z', shine),
    path('M560 1000Q610 1200 590 1380H640Q660 1200 560 1000Z', shade),
    path('M312 660Q420 640 520 700Q400 680 316 740Z', aslant([0, dark, 0.4], [1, dark, 0])),
    path('M888 660Q780 640 690 710Q800 684 884 740Z', aslant([0, dark, 0.3], [1, dark, 0])),
  ].join('');
}

function drawSleeve(colour: string): string {
  const seam = 'M400 330Q320 480 312 660';
  return [
    path(
      'M400 330Q320 480 312 660L270 790L60 720L210 430Z',
      across([0, darker(colour, 0.5), 0.05], [1, darker(colour, 0.6), 0.28]),
    ),
    line(seam, darker(colour, 0.5), 4, { 'stroke-opacity': 0.6 }),
    stitches('M390 334Q310 480 302 650', lighter(colour, 0.4), 2.2),
    stitches('M112 668L280 736', lighter(colour, 0.4), 2.4),
    stitches('M118 656L285 724', lighter(colour, 0.4), 2.4),
  ].join('');
}

function drawHem(colour: string): string {
  return [
    stitches('M304 1310Q600 1340 896 1310', lighter(colour, 0.4), 2.4),
    stitches('M304 1322Q600 1352 896 1322', lighter(colour, 0.4), 2.4),
    path('M290 1200H910V1390H290Z', down([0, '#000000', 0], [1, '#000000', 0.18])),
  ].join('');
}

function drawCollar(colour: string, dip: number): string {
  const edge = `M448 306Q600 ${dip} 752 306`;
  return [
    line(edge, darker(colour, 0.45), 46, { 'stroke-linecap': 'butt' }),
    line(edge, lighter(colour, 0.05), 40, { 'stroke-linecap': 'butt' }),
    line(edge, lighter(colour, 0.22), 12, {
      'stroke-linecap': 'butt',
      'stroke-opacity': 0.5,
      transform: 'translate(0 -8)',
    }),
    line(`M438 328Q600 ${dip + 32} 762 328`, darker(colour, 0.5), 3, { 'stroke-opacity': 0.5 }),
    stitches(`M436 338Q600 ${dip + 48} 764 338`, lighter(colour, 0.4), 2.2),
  ].join('');
}

function drawFront(colour: string): string {
  const inside = 'M452 300Q600 250 748 300Q700 440 600 444Q500 440 452 300Z';
  return [
    drawCloth(colour),
    path(inside, down(darker(colour, 0.3), darker(colour, 0.6))),
    box(566, 296, 68, 46, 5, CREAM),
    line('M582 322L594 308L602 318L607 312L618 326', '#4a4340', 3),
    line('M452 302Q600 262 748 302', lighter(colour, 0.08), 16, { 'stroke-linecap': 'butt' }),
    drawCollar(colour, 560),
    drawPrint(),
  ].join('');
}

/** Hills under a sun, printed on the chest. */
function drawPrint(): string {
  const round = 'M600 570A130 130 0 1 1 599.9 570Z';
  return transformed(
    'translate(0 10)',
    clipped(
      round,
      disc(600, 700, 130, 130, '#efe3cc'),
      disc(644, 668, 40, 40, '#d9793f'),
      path('M440 800L540 660L590 724L640 690L780 850H440Z', '#6f8f7b'),
      path('M440 830L520 752L600 806L700 740L780 850H440Z', '#2f4a48'),
    ),
  );
}

function drawBack(colour: string): string {
  return [
    drawCloth(colour),
    path('M400 330Q600 430 800 330L812 352Q600 470 388 352Z', darker(colour, 0.5), { 'fill-opacity': 0.18 }),
    drawCollar(colour, 372),
  ].join('');
}
