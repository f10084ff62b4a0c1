import {
  across,
  around,
  aslant,
  closeUp,
  darker,
  disc,
  down,
  lighter,
  line,
  path,
  transformed,
} from '../draw.ts';
import { MUSTARD, STEEL, tube } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#dde2e4';
const DUSK = '#3a3f4c';
const CANVAS = [1200, 1600] as const;
const CABLE = '#33363c';

export function createDeskLampShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  const side = drawSide();
  return [
    { ...shot, view: 'side', art: side },
    { ...shot, view: 'front', art: drawFront() },
    { ...shot, view: 'lit', backdrop: DUSK, art: drawLit(side) },
    { ...shot, view: 'detail', art: closeUp(side, CANVAS, [760, 620], 2.25) },
  ];
}

function drawSide(): string {
  return [
    contactShadow(520, 1372, 300, 40),
    drawCable(),
    drawBase(520),
    tube('M520 1320L360 900', MUSTARD, 34),
    drawJoint(520, 1310, 34),
    tube('M360 900L700 520', MUSTARD, 34),
    line('M384 960L640 672', STEEL, 5),
    drawJoint(360, 900, 40),
    transformed('translate(700 520) rotate(-32)', drawShade()),
    drawJoint(700, 520, 34),
  ].join('');
}

function drawCable(): string {
  return line('M740 1358C900 1360 920 1300 1010 1330C1080 1352 1120 1340 1230 1330', CABLE, 11);
}

function drawBase(x: number): string {
  const rim = across(darker(MUSTARD, 0.45), [0.3, lighter(MUSTARD, 0.3)], MUSTARD, darker(MUSTARD, 0.5));
  return [
    path(`M${x - 230} 1330V1352A230 42 0 0 0 ${x + 230} 1352V1330Z`, rim),
    disc(x, 1330, 230, 42, aslant(lighter(MUSTARD, 0.4), MUSTARD, darker(MUSTARD, 0.2))),
    disc(x, 1322, 56, 14, darker(MUSTARD, 0.4), { 'fill-opacity': 0.6 }),
  ].join('');
}

function drawJoint(x: number, y: number, radius: number): string {
  return [
    disc(x + 3, y + 5, radius, radius, '#1d1408', { 'fill-opacity': 0.35 }),
    disc(x, y, radius, radius, around(0.35, 0.3, 0.8, '#fafbfc', [0.5, STEEL], '#5d636b')),
    disc(x, y, radius * 0.45, radius * 0.45, around(0.6, 0.65, 0.8, '#e9ecef', '#6d737b')),
    line(`M${x - radius * 0.28} ${y + radius * 0.1}L${x + radius * 0.28} ${y - radius * 0.1}`, '#4d5259', 5),
  ].join('');
}

/** The shade hangs from 0, 0 and opens downwards. */
function drawShade(): string {
  const bell = 'M-46-20Q-46-54 0-54Q46-54 46-20L60 40C150 90 214 190 226 320H-226C-214 190-150 90-60 40Z';
  const form = across(
    darker(MUSTARD, 0.4),
    [0.12, darker(MUSTARD, 0.1)],
    [0.3, lighter(MUSTARD, 0.42)],
    [0.5, MUSTARD],
    [1, darker(MUSTARD, 0.5)],
  );
  return [
    path(bell, form, { stroke: darker(MUSTARD, 0.6), 'stroke-opacity': 0.5, 'stroke-width': 2 }),
    disc(0, 320, 226, 42, down('#6d5a36', '#b59b63')),
    disc(0, 322, 212, 36, around(0.5, 0.4, 0.6, '#fff6df', [0.5, '#e6d3a6'], '#8d7a50')),
    disc(0, 330, 74, 36, around(0.5, 0.3, 0.8, '#ffffff', [0.6, '#f4ead0'], '#cfc19b')),
    line('M-60 40Q0 58 60 40', darker(MUSTARD, 0.5), 4, { 'stroke-opacity': 0.5 }),
  ].join('');
}

function drawFront(): string {
  return [
    contactShadow(600, 1372, 300, 40),
    drawBase(600),
    tube('M600 1316V900', MUSTARD, 34),
    drawJoint(600, 1312, 30),
    tube('M600 900V520', MUSTARD, 34),
    line('M572 960V640M628 960V640', STEEL, 5),
    tube('M560 900H640', STEEL, 44),
    transformed('translate(600 500)', drawShade()),
    tube('M566 490H634', STEEL, 36),
  ].join('');
}

function drawLit(side: string): string {
  const beam = down([0, '#ffe9b8', 0.75], [0.5, '#ffd98a', 0.28], [1, '#ffd98a', 0]);
  const pool = around(0.5, 0.5, 0.5, [0, '#ffe6b0', 0.75], [0.6, '#ffcf80', 0.25], [1, '#ffcf80', 0]);
  const halo = around(0.5, 0.5, 0.5, [0, '#fffbe8', 0.95], [0.3, '#ffe7ab', 0.5], [1, '#ffd98a', 0]);
  return [
    disc(980, 1380, 460, 130, pool),
    side,
    path('M690 905L1060 675L1500 1420H640Z', beam),
    disc(874, 792, 300, 300, halo),
    transformed(
      'translate(874 792) rotate(-32)',
      disc(0, 8, 190, 30, '#fffbe9'),
      disc(0, 14, 74, 36, '#ffffff'),
    ),
  ].join('');
}
