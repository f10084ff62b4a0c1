import {
  around,
  closeUp,
  darker,
  disc,
  down,
  lighter,
  line,
  mirrored,
  path,
  scaled,
  transformed,
} from '../draw.ts';
import { type Cloth, cushionPath, MUSTARD, plush, stitches, wood, woven } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const FABRIC = '#5c8480';
const WALL = '#e9e0d5';
const CANVAS = [1600, 1200] as const;

export function createSofaShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  return [
    { ...shot, view: 'front', art: scaled(1.08, [800, 960], drawFront(plush)) },
    { ...shot, view: 'side', art: scaled(1.08, [800, 960], drawSide()) },
    { ...shot, view: 'back', art: scaled(1.08, [800, 960], drawBack()) },
    { ...shot, view: 'detail', art: closeUp(drawFront(woven), CANVAS, [430, 650], 2.5) },
  ];
}

function drawLeg(x: number, lean: number): string {
  return wood(`M${x - 17} 868H${x + 17}L${x + lean + 9} 962Q${x + lean} 967 ${x + lean - 9} 962Z`);
}

function drawFront(cloth: Cloth): string {
  return [
    contactShadow(800, 962, 640, 38),
    drawLeg(300, -16),
    drawLeg(1300, 16),
    cloth(cushionPath(262, 400, 1076, 470, 70, 6), darker(FABRIC, 0.12)),
    cloth(cushionPath(320, 424, 478, 330, 58, 10), FABRIC),
    cloth(cushionPath(802, 424, 478, 330, 58, 10), FABRIC),
    path('M310 690H1290V770H310Z', down([0, '#10201f', 0], [1, '#10201f', 0.5])),
    cloth('M260 770H1340V850Q1340 884 1306 884H294Q260 884 260 850Z', darker(FABRIC, 0.1)),
    cloth(cushionPath(318, 700, 481, 124, 40, 10), lighter(FABRIC, 0.04)),
    cloth(cushionPath(801, 700, 481, 124, 40, 10), lighter(FABRIC, 0.04)),
    line('M340 812Q560 832 778 812M822 812Q1040 832 1260 812', darker(FABRIC, 0.4), 3, {
      'stroke-opacity': 0.5,
    }),
    drawArm(cloth),
    mirrored(800, drawArm(cloth)),
    drawPillow(470, 610, -9, MUSTARD),
    drawPillow(1150, 620, 8, '#efe7da'),
  ].join('');
}

function drawArm(cloth: Cloth): string {
  return [
    path('M318 600Q352 640 352 884H318Z', '#0d1b1a', { 'fill-opacity': 0.28 }),
    cloth(cushionPath(206, 556, 126, 330, 56, 5), FABRIC),
    stitches('M228 640Q226 760 230 868M310 640Q312 760 308 868', darker(FABRIC, 0.45), 2.4),
  ].join('');
}

function drawPillow(x: number, y: number, angle: number, colour: string): string {
  const outline = 'M-112-104Q0-84 112-104Q92 0 112 104Q0 88-112 104Q-92 0-112-104Z';
  return transformed(
    `translate(${x} ${y}) rotate(${angle})`,
    disc(8, 104, 118, 16, around(0.5, 0.5, 0.5, [0, '#0d1b1a', 0.55], [1, '#0d1b1a', 0])),
    plush(outline, colour),
    line('M-112-104Q-70-66-52-60M112-104Q74-70 52-58M-112 104Q-74 74-56 64', darker(colour, 0.4), 3, {
      'stroke-opacity': 0.35,
    }),
  );
}

function drawSide(): string {
  return [
    contactShadow(800, 962, 440, 36),
    drawLeg(500, -18),
    drawLeg(1110, 18),
    plush(
      'M416 452Q408 384 474 380Q540 378 556 444L640 800Q560 870 470 872Q440 640 416 452Z',
      darker(FABRIC, 0.14),
    ),
    plush(cushionPath(560, 470, 130, 300, 60, 4), darker(FABRIC, 0.05)),
    plush(cushionPath(980, 694, 214, 124, 46, 4), lighter(FABRIC, 0.03)),
    plush(
      'M470 612Q470 556 530 556H1090Q1156 556 1156 622V850Q1156 886 1120 886H496Q462 886 462 850Z',
      FABRIC,
    ),
    path(
      'M470 700Q800 720 1156 700V850Q1156 886 1120 886H496Q462 886 462 850Z',
      down([0, '#0d1b1a', 0], [1, '#0d1b1a', 0.22]),
    ),
    stitches('M500 596Q800 584 1122 596', darker(FABRIC, 0.45), 2.6),
    stitches('M496 850H1122', darker(FABRIC, 0.45), 2.6),
  ].join('');
}

function drawBack(): string {
  const seam = { 'stroke-opacity': 0.45 };
  return [
    contactShadow(800, 962, 640, 38),
    drawLeg(300, -16),
    drawLeg(1300, 16),
    plush(cushionPath(206, 556, 160, 330, 56, 5), darker(FABRIC, 0.14)),
    plush(cushionPath(1234, 556, 160, 330, 56, 5), darker(FABRIC, 0.14)),
    plush(cushionPath(262, 400, 1076, 486, 60, 6), FABRIC),
    line('M620 398V884M980 398V884', darker(FABRIC, 0.5), 4, seam),
    line('M625 400V884M985 400V884', lighter(FABRIC, 0.4), 2, seam),
    stitches('M276 470Q800 456 1324 470', darker(FABRIC, 0.45), 2.6),
    path(
      'M262 760H1338V850Q1338 886 1300 886H300Q262 886 262 850Z',
      down([0, '#0d1b1a', 0], [1, '#0d1b1a', 0.3]),
    ),
  ].join('');
}
