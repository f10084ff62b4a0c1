import {
  across,
  box,
  clipped,
  closeUp,
  darker,
  disc,
  down,
  lighter,
  line,
  path,
  repeat,
  transformed,
} from '../draw.ts';
import { cylinder, STEEL, tube } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#e4e0dc';
const CANVAS = [1200, 1600] as const;
const COAT = '#6a8f9c';
const CAP = '#2f3338';
const BODY =
  'M430 640Q430 540 500 500Q532 480 532 440H668Q668 480 700 500Q770 540 770 640V1320Q770 1372 718 1378Q600 1392 482 1378Q430 1372 430 1320Z';

export function createWaterBottleShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  const front = `${drawBody()}${drawMountains()}${drawCap()}`;
  const floor = contactShadow(600, 1376, 220, 34, 0.6);
  return [
    { ...shot, view: 'front', art: `${floor}${front}` },
    { ...shot, view: 'back', art: `${floor}${drawBody()}${drawScale()}${drawCap()}` },
    { ...shot, view: 'open', art: drawOpen() },
    { ...shot, view: 'detail', art: closeUp(front, CANVAS, [600, 480], 2.25) },
    { ...shot, view: 'cutout', backdrop: null, art: front },
  ];
}

function drawBody(): string {
  return [
    path(BODY, cylinder(COAT, 0.38), { stroke: darker(COAT, 0.6), 'stroke-opacity': 0.5, 'stroke-width': 2 }),
    clipped(
      BODY,
      path(
        'M400 420H800V560Q600 600 400 560Z',
        down([0, darker(COAT, 0.5), 0.35], [1, darker(COAT, 0.5), 0]),
      ),
      path('M400 1240H800V1400H400Z', down([0, darker(COAT, 0.6), 0], [1, darker(COAT, 0.6), 0.5])),
      path('M486 600Q474 620 474 700V1300H506V700Q506 620 516 584Z', '#ffffff', { 'fill-opacity': 0.22 }),
      path('M430 1346Q600 1372 770 1346V1400H430Z', across('#5d636b', [0.26, '#f4f6f8'], STEEL, '#5d636b')),
    ),
  ].join('');
}

function drawCap(): string {
  return [
    path('M526 446H674V462Q600 476 526 462Z', across('#6a7078', [0.26, '#ffffff'], STEEL, '#5d636b')),
    box(516, 330, 168, 116, 22, cylinder(CAP, 0.3)),
    repeat(12, index => line(`M${530 + index * 12.6} 350V430`, '#000000', 3, { 'stroke-opacity': 0.3 })),
    tube('M540 340C530 240 670 240 660 340', CAP, 30),
    disc(540, 352, 16, 16, STEEL),
    disc(660, 352, 16, 16, STEEL),
  ].join('');
}

function drawMountains(): string {
  const ink = { 'stroke-opacity': 0.92 };
  return [
    line('M520 1000L580 900L612 948L636 916L684 1000Z', '#f4efe4', 9, ink),
    line('M562 930L580 944L596 924', '#f4efe4', 6, ink),
    disc(652, 892, 17, 17, '#e8b65a'),
    line('M540 1034H664', '#f4efe4', 7, ink),
  ].join('');
}

/** What the bottle holds, in marks of a tenth of a litre. */
function drawScale(): string {
  return [
    repeat(9, index =>
      line(`M${index % 2 === 0 ? 560 : 580} ${740 + index * 62}H640`, '#f4efe4', 6, {
        'stroke-opacity': 0.85,
      }),
    ),
    line('M650 716V1260', '#f4efe4', 5, { 'stroke-opacity': 0.85 }),
  ].join('');
}

function drawOpen(): string {
  const thread = repeat(3, index =>
    line(`M536 ${412 + index * 20}Q600 ${426 + index * 20} 664 ${412 + index * 20}`, '#6a7078', 6),
  );
  return [
    contactShadow(520, 1376, 220, 34, 0.6),
    contactShadow(890, 1380, 110, 24, 0.6),
    transformed(
      'translate(-80 0)',
      drawBody(),
      drawMountains(),
      box(530, 396, 140, 74, 6, across('#6a7078', [0.26, '#ffffff'], STEEL, '#5d636b')),
      thread,
      disc(600, 396, 70, 16, across('#8d939b', '#ffffff', '#8d939b')),
      disc(600, 397, 60, 12, down('#24272b', lighter(CAP, 0.3))),
    ),
    transformed('translate(290 930)', drawCap()),
  ].join('');
}
