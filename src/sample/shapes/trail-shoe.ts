import {
  across,
  aslant,
  clipped,
  darker,
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
import { GRAPHITE, MUSTARD, TERRACOTTA } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';
import { drawHeel, drawSole, drawToe } from './trail-shoe-ends.ts';

const WALL = '#dfe3dc';

export function createTrailShoeShots(): Shot[] {
  const shot = { width: 1600, height: 1200, backdrop: WALL };
  const side = drawSide();
  return [
    { ...shot, view: 'side', art: scaled(1.14, [820, 900], contactShadow(840, 900, 560, 34), side) },
    { ...shot, view: 'pair', art: drawPair(side) },
    { ...shot, view: 'front', art: scaled(1.4, [800, 930], drawToe()) },
    { ...shot, view: 'back', art: scaled(1.4, [800, 930], drawHeel()) },
    { ...shot, view: 'sole', art: scaled(1.14, [800, 600], drawSole()) },
  ];
}

function drawPair(side: string): string {
  return [
    transformed('translate(300 10) scale(.84)', contactShadow(840, 900, 560, 40), mirrored(840, side)),
    transformed('translate(-70 170) scale(.93)', contactShadow(840, 900, 580, 44, 0.6), side),
  ].join('');
}

const UPPER =
  'M352 830C322 740 326 610 350 520Q346 470 372 452Q396 446 410 476C430 536 520 556 590 500Q624 462 652 398Q664 372 700 382L736 402C820 500 930 600 1040 640C1180 664 1310 700 1372 784Q1376 800 1352 812Z';

function drawSide(): string {
  return [drawLugs(), drawTongue(), drawUpper(), drawOverlays(), drawLaces(), drawMidsole()].join('');
}

/** How far the sole stands off the floor at the toe, as runners' shoes do. */
function toeSpring(x: number): number {
  return x < 1080 ? 0 : round(((x - 1080) / 310) ** 2 * 84);
}

function drawLugs(): string {
  return repeat(19, index => {
    const x = 352 + index * 53;
    const y = 866 - toeSpring(x + 20);
    return path(`M${x} ${y}H${x + 44}L${x + 38} ${y + 36}H${x + 8}Z`, down('#2b2d31', '#141517'));
  });
}

function drawMidsole(): string {
  const foam =
    'M330 800Q318 776 350 776C480 800 560 830 700 822C900 808 1200 812 1370 772Q1412 764 1404 792C1380 830 1240 872 1080 876H372Q334 870 330 800Z';
  return [
    path(foam, down('#fbf7ef', [0.6, '#e9e2d4'], '#bdb4a4'), { stroke: '#8f8778', 'stroke-width': 2 }),
    line('M352 824C520 850 620 852 760 846C960 838 1200 836 1362 800', '#b8ae9c', 3),
    path(
      'M334 836Q340 876 372 880H1080C1220 876 1350 840 1400 800C1370 842 1240 862 1080 862H400Q350 862 334 836Z',
      '#2b2d31',
    ),
    repeat(7, index =>
      line(`M${420 + index * 40} 812L${404 + index * 40} 846`, MUSTARD, 9, { 'stroke-opacity': 0.9 }),
    ),
  ].join('');
}

function drawTongue(): string {
  const tongue = 'M590 520L640 360Q668 330 716 344Q752 352 748 384L800 500Z';
  return [
    path(tongue, aslant(lighter(GRAPHITE, 0.25), GRAPHITE, darker(GRAPHITE, 0.4)), {
      stroke: '#1c1d20',
      'stroke-width': 2,
    }),
    line('M652 368Q690 346 736 370', lighter(GRAPHITE, 0.4), 4),
  ].join('');
}

function drawUpper(): string {
  const mesh = repeat(60, index =>
    line(`M${300 + index * 20} 380L${220 + index * 20} 860`, '#ffffff', 2, { 'stroke-opacity': 0.09 }),
  );
  const cross = repeat(60, index =>
    line(`M${220 + index * 20} 380L${300 + index * 20} 860`, '#000000', 2, { 'stroke-opacity': 0.1 }),
  );
  return [
    path(UPPER, down(lighter(TERRACOTTA, 0.2), [0.55, TERRACOTTA], darker(TERRACOTTA, 0.35))),
    clipped(
      UPPER,
      mesh,
      cross,
      path('M700 380C900 420 1200 560 1420 800L1420 640L900 380Z', '#ffffff', { 'fill-opacity': 0.12 }),
    ),
    path(
      'M356 520Q350 470 374 454Q396 448 410 478C430 538 520 558 590 502L612 540C520 612 410 590 356 520Z',
      darker(TERRACOTTA, 0.62),
    ),
    line('M354 520C400 596 520 612 612 540', lighter(TERRACOTTA, 0.3), 4, { 'stroke-opacity': 0.7 }),
  ].join('');
}

function drawOverlays(): string {
  const dark = darker(TERRACOTTA, 0.55);
  return clipped(
    UPPER,
    path('M300 640C420 640 470 700 500 850H300Z', across(dark, lighter(dark, 0.16))),
    path('M1130 850C1150 740 1230 690 1420 700V850Z', aslant(lighter(dark, 0.24), dark)),
    path(
      'M470 850C540 700 640 640 760 610L800 640C720 690 660 760 640 850Z',
      across(MUSTARD, lighter(MUSTARD, 0.3)),
      {
        'fill-opacity': 0.95,
      },
    ),
    path(
      'M690 850C730 730 800 680 880 660L915 684C850 720 810 780 800 850Z',
      across(lighter(MUSTARD, 0.1), MUSTARD),
    ),
    line('M300 634C424 634 476 698 506 850', lighter(TERRACOTTA, 0.35), 3, { 'stroke-dasharray': '10 7' }),
    line('M1122 850C1142 734 1224 684 1420 694', lighter(TERRACOTTA, 0.35), 3, {
      'stroke-dasharray': '10 7',
    }),
    path('M340 780C600 840 1100 830 1400 770V850H340Z', down([0, '#20100a', 0], [1, '#20100a', 0.45])),
  );
}

function drawLaces(): string {
  const throat = 'M700 392L740 404C830 500 930 596 1036 640L1000 672C880 640 760 560 668 470Z';
  const lace = (index: number): string => {
    const x = 716 + index * 62;
    const y = 424 + index * 46;
    const strap = `M${x - 34} ${y + 52}Q${x} ${y + 6} ${x + 36} ${y - 8}`;
    return `${line(strap, '#8f8778', 19)}${line(strap, '#f4efe4', 15)}`;
  };
  const eyelets = repeat(5, index => `${line(`M${684 + index * 62} ${480 + index * 46}v.1`, '#2a1a14', 16)}`);
  return [path(throat, darker(TERRACOTTA, 0.45)), eyelets, repeat(5, lace)].join('');
}
