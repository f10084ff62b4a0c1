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
  path,
  repeat,
  round,
  transformed,
} from '../draw.ts';
import { NAVY, STEEL, stitches } from '../materials.ts';
import { contactShadow, dropShadow, type Shot } from '../studio.ts';

const WALL = '#e4e0da';
const CANVAS = [1400, 1400] as const;
const LEATHER = '#9a6238';
const STRAP_TOP = 'M590 470L606 120Q608 90 640 90H760Q792 90 794 120L810 470Z';
const STRAP_BOTTOM = 'M590 930L606 1270Q612 1330 700 1344Q788 1330 794 1270L810 930Z';

export function createWristwatchShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  const front = drawFront();
  return [
    { ...shot, view: 'front', art: front },
    { ...shot, view: 'side', art: drawSide() },
    { ...shot, view: 'back', art: drawBack() },
    { ...shot, view: 'detail', art: closeUp(front, CANVAS, [760, 690], 2.25) },
  ];
}

function polar(angle: number, radius: number): string {
  return `${round(700 + Math.sin(angle) * radius)} ${round(700 - Math.cos(angle) * radius)}`;
}

function drawStrap(colour: string): string {
  const form = across(
    darker(colour, 0.4),
    [0.2, lighter(colour, 0.16)],
    [0.55, colour],
    darker(colour, 0.42),
  );
  const edge = { stroke: darker(colour, 0.6), 'stroke-opacity': 0.6, 'stroke-width': 2 };
  return [path(STRAP_TOP, form, edge), path(STRAP_BOTTOM, form, edge)].join('');
}

function drawShadow(): string {
  return [STRAP_TOP, STRAP_BOTTOM, 'M700 420A280 280 0 1 1 699 420Z']
    .map(outline => dropShadow(outline, 20, 50, 0.3))
    .join('');
}

function drawFront(): string {
  return [
    drawShadow(),
    drawStrap(LEATHER),
    stitches(
      'M614 460L626 130H774L786 460M614 940L626 1262Q640 1308 700 1318Q760 1308 774 1262L786 940',
      '#efd9b4',
      4,
    ),
    repeat(4, index => disc(700, 1080 + index * 56, 11, 14, darker(LEATHER, 0.7))),
    drawLugs(),
    drawCrown(),
    drawCase(),
    drawDial(),
    drawHands(),
    path('M520 560A230 230 0 0 1 740 474Q600 560 540 760A230 230 0 0 1 520 560Z', '#ffffff', {
      'fill-opacity': 0.09,
    }),
  ].join('');
}

function drawLugs(): string {
  const lug = (x: number, y: number): string =>
    box(x, y, 44, 130, 18, across('#6f757d', '#f4f6f8', '#8d939b'));
  return [lug(560, 400), lug(796, 400), lug(560, 870), lug(796, 870)].join('');
}

function drawCrown(): string {
  const ridges = repeat(6, index => line(`M976 ${672 + index * 11}H1006`, '#5d636b', 3));
  return [box(960, 660, 52, 80, 12, down('#8d939b', '#f4f6f8', '#6f757d')), ridges].join('');
}

function drawCase(): string {
  return [
    disc(700, 700, 280, 280, aslant('#ffffff', STEEL, '#6a7078', '#c9ced3')),
    disc(700, 700, 266, 266, aslant('#80868e', STEEL, '#ffffff')),
    disc(700, 700, 246, 246, aslant('#5d636b', '#c9ced3')),
  ].join('');
}

function drawDial(): string {
  const minutes = repeat(60, index => {
    const angle = (index * Math.PI) / 30;
    return line(`M${polar(angle, 224)}L${polar(angle, 212)}`, '#c9d2e0', 3);
  });
  const hours = repeat(12, index => {
    if (index === 3) return ''; // the date stands there
    const angle = (index * Math.PI) / 6;
    return line(`M${polar(angle, 204)}L${polar(angle, index % 3 === 0 ? 152 : 168)}`, '#f4f6f8', 11);
  });
  return [
    disc(700, 700, 238, 238, around(0.4, 0.34, 0.75, lighter(NAVY, 0.22), NAVY, darker(NAVY, 0.55))),
    minutes,
    hours,
    box(828, 676, 62, 48, 6, '#f4f1ea', { stroke: '#aab2bf', 'stroke-width': 4 }),
    transformed(
      'translate(846 687) scale(1.8)',
      line('M0 3L4 0V14M9 3.4C9.4-1.2 16-1.1 16 3.8C16 6.8 11 10.4 9 14H16.6', '#2a2c30', 2),
    ),
    line('M668 622L694 584L710 608L722 594L740 622', '#e8edf5', 5),
  ].join('');
}

/** Ten past ten, the hour at which every catalogue shows its watches. */
function drawHands(): string {
  const [hour, minute, second] = [-0.97, 1.05, 3.6];
  const hand = (angle: number, reach: number, width: number): string => {
    const d = `M${polar(angle + Math.PI, 34)}L${polar(angle, reach)}`;
    const shadow = line(d, '#0a0f1b', width, { transform: 'translate(5 8)', 'stroke-opacity': 0.4 });
    return `${shadow}${line(d, '#f4f6f8', width)}${line(d, '#aab2bf', width * 0.25)}`;
  };
  const sweep = `M${polar(second + Math.PI, 60)}L${polar(second, 206)}`;
  return [
    hand(hour, 124, 17),
    hand(minute, 184, 13),
    line(sweep, '#e07a4f', 5),
    disc(700, 700, 17, 17, around(0.35, 0.3, 0.8, '#ffffff', STEEL, '#5d636b')),
    disc(700, 700, 7, 7, '#e07a4f'),
  ].join('');
}

function drawBack(): string {
  const screws = repeat(6, index => {
    const [x, y] = polar((index * Math.PI) / 3 + 0.5, 222)
      .split(' ')
      .map(Number);
    return disc(x ?? 0, y ?? 0, 12, 12, aslant('#6a7078', '#eef0f2'), {
      stroke: '#5d636b',
      'stroke-width': 2,
    });
  });
  return [
    drawShadow(),
    drawStrap(lighter(LEATHER, 0.35)),
    drawLugs(),
    transformed('matrix(-1 0 0 1 1400 0)', drawCrown()),
    drawCase(),
    disc(700, 700, 246, 246, around(0.4, 0.34, 0.8, '#f4f6f8', STEEL, '#8d939b')),
    screws,
    disc(700, 700, 160, 160, '#4a4f57'),
    disc(700, 700, 152, 152, around(0.4, 0.34, 0.8, '#d8c9a4', '#8f7c50', '#4d4128')),
    drawGear(656, 660, 74, 16),
    drawGear(764, 736, 58, 13),
    drawGear(680, 790, 38, 10),
    disc(656, 660, 13, 13, '#c8385a'),
    disc(764, 736, 11, 11, '#c8385a'),
    path('M570 620A150 150 0 0 1 740 556Q640 620 590 740Z', '#ffffff', { 'fill-opacity': 0.16 }),
  ].join('');
}

function drawGear(x: number, y: number, radius: number, teeth: number): string {
  const gap = (2 * Math.PI * radius) / teeth / 2;
  const rim = disc(x, y, radius, radius, 'none', {
    stroke: '#e9d7a4',
    'stroke-width': 12,
    'stroke-dasharray': `${round(gap)} ${round(gap)}`,
  });
  const wheel = aslant('#fbefcb', '#c4a860', '#86703a');
  return `${rim}${disc(x, y, radius - 4, radius - 4, wheel)}${disc(x, y, radius * 0.6, radius * 0.6, '#6b5a34', { 'fill-opacity': 0.55 })}${line(`M${x - radius + 6} ${y}H${x + radius - 6}M${x} ${y - radius + 6}V${y + radius - 6}`, '#d9c288', 9)}`;
}

function drawSide(): string {
  const strap =
    'M560 640C420 640 360 760 372 920C384 1080 520 1170 700 1170C880 1170 1016 1080 1028 920C1040 760 980 640 840 640';
  return [
    contactShadow(700, 1196, 320, 34),
    line(strap, darker(LEATHER, 0.6), 44, { 'stroke-linecap': 'butt' }),
    line(strap, LEATHER, 36, { 'stroke-linecap': 'butt' }),
    line(strap, lighter(LEATHER, 0.35), 8, { 'stroke-opacity': 0.7, transform: 'translate(-3 -8)' }),
    box(652, 1140, 96, 62, 12, aslant('#f4f6f8', STEEL, '#6a7078')),
    path(
      'M470 590H930L960 640Q964 668 930 672H470Q436 668 440 640Z',
      across('#6f757d', [0.2, '#fafbfc'], [0.5, STEEL], [0.8, '#eef0f2'], '#5d636b'),
    ),
    box(452, 560, 496, 40, 14, across('#5d636b', [0.25, '#ffffff'], STEEL, '#6a7078')),
    path('M490 560Q700 534 910 560Z', across('#aab7c9', '#eef3f8', '#aab7c9')),
    disc(700, 630, 40, 34, around(0.38, 0.3, 0.8, '#ffffff', STEEL, '#5d636b')),
    repeat(7, index => line(`M${672 + index * 9.5} 606V654`, '#6a7078', 2.5)),
    path(
      'M440 640L420 690Q416 712 440 712H520L540 672ZM960 640L980 690Q984 712 960 712H880L860 672Z',
      down('#d5d9dd', '#7b8189'),
    ),
  ].join('');
}
