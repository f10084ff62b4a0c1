import {
  across,
  aslant,
  box,
  closeUp,
  darker,
  down,
  lighter,
  line,
  mirrored,
  path,
  repeat,
} from '../draw.ts';
import { band, type Cloth, cushionPath, GRAPHITE, NAVY, plush, stitches, woven } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#e8e2da';
const CANVAS = [1200, 1600] as const;
const LEATHER = '#a8703f';

export function createBackpackShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  return [
    { ...shot, view: 'front', art: drawFront(plush) },
    { ...shot, view: 'side', art: drawSide() },
    { ...shot, view: 'back', art: drawBack() },
    { ...shot, view: 'detail', art: closeUp(drawFront(woven), CANVAS, [600, 930], 2.5) },
  ];
}

const BODY =
  'M310 560C310 380 410 290 600 290C790 290 890 380 890 560L910 1240Q912 1336 820 1340H380Q288 1336 290 1240Z';

function zip(d: string): string {
  return [
    line(d, darker(NAVY, 0.6), 20),
    line(d, '#c9c3b4', 9, { 'stroke-dasharray': '5 5', 'stroke-linecap': 'butt' }),
  ].join('');
}

function zipPull(x: number, y: number): string {
  return [
    box(x - 13, y - 16, 26, 32, 6, across('#8f8b82', '#e8e4da', '#8f8b82')),
    band(`M${x} ${y + 10}V${y + 74}`, LEATHER, 18, 'round'),
  ].join('');
}

function drawFront(cloth: Cloth): string {
  return [
    contactShadow(600, 1340, 350, 40),
    drawHandle(),
    drawSidePocket(cloth),
    mirrored(600, drawSidePocket(cloth)),
    cloth(BODY, NAVY),
    path('M346 590C346 420 440 332 600 332C760 332 854 420 854 590', 'none', {
      stroke: '#0d1424',
      'stroke-opacity': 0.35,
      'stroke-width': 34,
    }),
    zip('M342 640C330 420 440 326 600 326C760 326 870 420 858 640'),
    zipPull(352, 640),
    drawPatch(),
    drawPocket(cloth),
    drawStraps(),
  ].join('');
}

function drawHandle(): string {
  return [
    band('M520 306C520 210 680 210 680 306', LEATHER, 34),
    stitches('M520 300C520 214 680 214 680 300', '#e9c79d', 2.6),
  ].join('');
}

function drawSidePocket(cloth: Cloth): string {
  return [
    cloth('M300 930C230 940 214 1000 222 1090L236 1260Q240 1318 300 1322Z', darker(NAVY, 0.18)),
    line('M300 934C240 944 222 990 222 1050', lighter(NAVY, 0.3), 6),
  ].join('');
}

function drawPocket(cloth: Cloth): string {
  return [
    path(
      'M360 1310Q340 1310 338 1240L340 860Q340 800 400 800H800Q860 800 860 860L862 1240Q860 1312 840 1312Z',
      '#0a0f1b',
      {
        'fill-opacity': 0.3,
      },
    ),
    cloth(cushionPath(352, 830, 496, 470, 70, 8), lighter(NAVY, 0.07)),
    zip('M372 960V900Q374 856 420 856H780Q826 856 828 900V960'),
    zipPull(828, 960),
    line('M372 1010H828', darker(NAVY, 0.45), 4, { 'stroke-opacity': 0.6 }),
    stitches('M372 1018H828', lighter(NAVY, 0.45), 2.4),
  ].join('');
}

function drawPatch(): string {
  const leather = aslant(lighter(LEATHER, 0.22), LEATHER, darker(LEATHER, 0.3));
  return [
    box(520, 610, 160, 110, 14, leather, { stroke: darker(LEATHER, 0.5), 'stroke-width': 2 }),
    stitches('M534 624H666V706H534Z', '#e9c79d', 2.6),
    line('M556 690L588 644L608 672L622 654L648 690Z', darker(LEATHER, 0.6), 5),
  ].join('');
}

function drawStraps(): string {
  const strap = (x: number): string =>
    [
      path(`M${x - 18} 780H${x + 34}V1236H${x - 18}Z`, '#070b14', { 'fill-opacity': 0.22 }),
      band(`M${x} 750V1230`, LEATHER, 40),
      stitches(`M${x - 13} 756V1224M${x + 13} 756V1224`, '#e9c79d', 2.4),
      box(x - 34, 1066, 68, 72, 10, 'none', { stroke: '#8c7a52', 'stroke-width': 14 }),
      box(x - 34, 1064, 68, 72, 10, 'none', { stroke: '#d8bf7e', 'stroke-width': 9 }),
      line(`M${x} 1072V1112`, '#d8bf7e', 9),
      path(`M${x - 20} 1230H${x + 20}L${x} 1256Z`, darker(LEATHER, 0.15)),
    ].join('');
  return strap(450) + strap(750);
}

function drawSide(): string {
  const profile =
    'M430 580C420 400 480 290 600 290C720 300 770 420 780 600L800 1250Q800 1338 720 1340H470Q420 1338 420 1250Z';
  const pocket = 'M776 850Q880 840 892 930L900 1230Q896 1304 800 1308Z';
  const mesh = 'M440 960Q600 920 760 960L776 1300Q600 1330 436 1300Z';
  return [
    contactShadow(640, 1340, 300, 40),
    band('M440 400C350 420 300 620 318 860C330 1010 370 1120 430 1250', darker(NAVY, 0.2), 52),
    band('M450 330C470 250 540 240 590 300', LEATHER, 30),
    plush(pocket, lighter(NAVY, 0.05)),
    plush(profile, NAVY),
    line('M560 296C470 420 476 700 476 900', darker(NAVY, 0.45), 5, { 'stroke-opacity': 0.6 }),
    zip('M640 306C730 400 742 560 750 760'),
    zipPull(750, 770),
    drawBottle(),
    plush(mesh, darker(NAVY, 0.16)),
    band('M440 964Q600 924 760 964', LEATHER, 26),
    stitches('M440 964Q600 924 760 964', '#e9c79d', 2.4),
    band('M476 860H760', darker(NAVY, 0.35), 24),
  ].join('');
}

function drawBottle(): string {
  const body = across('#b4552f', [0.3, '#eb9a6c'], '#c9673f', [1, '#8a3b1f']);
  return [
    box(548, 690, 110, 400, 30, body),
    box(568, 640, 70, 60, 12, across('#1f2125', '#5a5d64', '#1f2125')),
    path('M548 900H658V1000H548Z', down([0, '#1a0b05', 0], [1, '#1a0b05', 0.5])),
  ].join('');
}

function drawBack(): string {
  const pad = lighter(NAVY, 0.16);
  return [
    contactShadow(600, 1340, 350, 40),
    drawHandle(),
    plush(BODY, darker(NAVY, 0.12)),
    plush(cushionPath(370, 560, 200, 680, 60, 6), pad),
    plush(cushionPath(630, 560, 200, 680, 60, 6), pad),
    repeat(5, index =>
      line(`M392 ${680 + index * 110}H548M652 ${680 + index * 110}H808`, darker(NAVY, 0.4), 5, {
        'stroke-opacity': 0.6,
      }),
    ),
    drawShoulderStrap(),
    mirrored(600, drawShoulderStrap()),
    band('M440 760H760', darker(NAVY, 0.5), 22),
    box(560, 738, 80, 44, 10, down('#55595f', '#1d1f23')),
  ].join('');
}

function drawShoulderStrap(): string {
  const strap = 'M560 380C470 420 380 560 372 760C366 930 330 1060 300 1180';
  return [
    line(strap, '#060a12', 96, { 'stroke-opacity': 0.3, transform: 'translate(10 12)' }),
    band(strap, darker(NAVY, 0.1), 88, 'round'),
    stitches('M534 376C440 430 346 570 338 760C334 900 310 1010 282 1120', lighter(NAVY, 0.4), 2.6),
    band('M300 1180L320 1310', GRAPHITE, 34),
    box(262, 1136, 78, 70, 10, aslant('#5b5f66', '#17181b')),
  ].join('');
}
