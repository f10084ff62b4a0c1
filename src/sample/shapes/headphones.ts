import {
  across,
  around,
  aslant,
  box,
  closeUp,
  darker,
  disc,
  down,
  lighter,
  line,
  mirrored,
  path,
  repeat,
} from '../draw.ts';
import { band, cushionPath, GRAPHITE, plush, STEEL, stitches, tube } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#ece3dc';
const CANVAS = [1400, 1400] as const;
const SHELL = '#d8cfc3';
const LEATHER = '#8a5a3c';

export function createHeadphonesShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  const side = drawSide();
  return [
    { ...shot, view: 'front', art: drawFront() },
    { ...shot, view: 'side', art: side },
    { ...shot, view: 'detail', art: closeUp(side, CANVAS, [720, 900], 2) },
  ];
}

function drawFront(): string {
  const arc = 'M356 780C330 260 480 190 700 190C920 190 1070 260 1044 780';
  const inner = 'M452 440C490 300 590 250 700 250C810 250 910 300 948 440';
  return [
    contactShadow(430, 1176, 150, 30),
    contactShadow(970, 1176, 150, 30),
    line(inner, darker(GRAPHITE, 0.3), 64),
    line(inner, lighter(GRAPHITE, 0.12), 40),
    line(arc, darker(LEATHER, 0.55), 74),
    line(arc, LEATHER, 66),
    line(arc, lighter(LEATHER, 0.25), 26, { transform: 'translate(-4 -10)', 'stroke-opacity': 0.7 }),
    stitches('M388 700C370 300 500 222 700 222C900 222 1030 300 1012 700', '#e8cda8', 3),
    drawEar(),
    mirrored(700, drawEar()),
  ].join('');
}

function drawEar(): string {
  const shell = across(darker(SHELL, 0.3), [0.35, lighter(SHELL, 0.5)], SHELL, darker(SHELL, 0.35));
  return [
    box(334, 640, 44, 260, 14, across('#7d838b', '#f0f2f4', [0.5, STEEL], '#6a7078')),
    line('M356 680V760', '#5c626a', 4),
    plush(cushionPath(426, 752, 104, 420, 50, 12), GRAPHITE),
    line('M478 790V1136', '#0f1012', 5, { 'stroke-opacity': 0.5 }),
    path('M440 760Q330 780 312 900Q300 970 312 1030Q330 1150 440 1170Z', shell, {
      stroke: darker(SHELL, 0.5),
      'stroke-width': 2,
    }),
    path('M326 880Q310 965 326 1050L300 1040Q286 965 300 890Z', across('#6a7078', '#e4e7ea', STEEL)),
    box(428, 748, 18, 428, 8, across('#6a7078', '#d5d9dd', '#6a7078')),
  ].join('');
}

function drawSide(): string {
  return [
    contactShadow(700, 1228, 230, 32),
    drawSideBand(),
    plush('M700 650A292 292 0 1 1 699 650Z', GRAPHITE),
    drawCup(),
    drawFork(),
    drawCable(),
  ].join('');
}

function drawSideBand(): string {
  return [
    path(
      'M640 760V290Q640 180 700 180Q760 180 760 290V760Z',
      across(darker(LEATHER, 0.5), [0.35, lighter(LEATHER, 0.3)], LEATHER, darker(LEATHER, 0.55)),
    ),
    stitches('M656 740V300Q658 200 700 200Q742 200 744 300V740', '#e8cda8', 3),
    box(664, 520, 72, 220, 16, across('#7d838b', '#f4f6f8', [0.5, STEEL], '#6a7078')),
    repeat(5, index => line(`M680 ${550 + index * 26}H720`, '#7b8189', 4)),
  ].join('');
}

function drawFork(): string {
  const arms = 'M700 690C560 690 440 800 436 936M700 690C840 690 960 800 964 936';
  return [
    tube(arms, STEEL, 30),
    disc(436, 940, 28, 28, around(0.35, 0.3, 0.8, '#ffffff', STEEL, '#5d636b')),
    disc(964, 940, 28, 28, around(0.35, 0.3, 0.8, '#ffffff', STEEL, '#5d636b')),
    box(656, 650, 88, 80, 24, aslant('#f4f6f8', STEEL, '#6a7078')),
  ].join('');
}

function drawCup(): string {
  return [
    disc(700, 942, 250, 250, around(0.36, 0.3, 0.85, lighter(SHELL, 0.7), [0.5, SHELL], darker(SHELL, 0.4))),
    disc(700, 942, 196, 196, aslant(darker(SHELL, 0.28), lighter(SHELL, 0.5))),
    disc(700, 942, 188, 188, around(0.4, 0.34, 0.8, lighter(SHELL, 0.45), SHELL, darker(SHELL, 0.25))),
    disc(700, 942, 84, 84, aslant('#f4f6f8', STEEL, '#7b8189')),
    disc(700, 942, 74, 74, around(0.6, 0.66, 0.8, '#eef0f2', '#a3a9b0')),
    line('M676 972V912H716Q736 912 736 932Q736 952 716 952H676', '#6a7078', 9),
    repeat(3, index => disc(660 + index * 40, 1096, 7, 7, darker(SHELL, 0.5))),
    path('M520 860A200 200 0 0 1 640 752', 'none', {
      stroke: '#ffffff',
      'stroke-width': 12,
      'stroke-opacity': 0.5,
      'stroke-linecap': 'round',
    }),
  ].join('');
}

function drawCable(): string {
  return [box(688, 1186, 24, 34, 6, down('#55595f', '#1d1f23')), band('M700 1216V1222', '#1d1f23', 14)].join(
    '',
  );
}
