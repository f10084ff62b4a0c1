import { around, clipped, darker, disc, down, lighter, line, path, repeat, round } from '../draw.ts';
import { CREAM, cylinder } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#e6dcd2';
const GLAZE = '#3f6f74';
const FRAMES = 12;
// The mug stands upright around CENTRE; the camera looks down on it a little, so circles become ellipses.
const CENTRE = 600;
const RADIUS = 250;
const TILT = 0.17;
const [TOP, BOTTOM, GLAZE_LINE] = [360, 880, 720];

export function createMugShots(): Shot[] {
  const shot = { width: 1200, height: 1200, backdrop: WALL };
  return [
    { ...shot, view: 'front', art: drawMug(0) },
    { ...shot, view: 'back', art: drawMug(Math.PI) },
    { ...shot, view: 'top', art: drawFromAbove() },
  ];
}

/** One turn in twelve frames, the handle starting at the right. */
export function createMugSpin(): Shot[] {
  return Array.from({ length: FRAMES }, (_, index) => ({
    width: 1200,
    height: 1200,
    backdrop: WALL,
    view: 'spin',
    art: drawMug((index * 2 * Math.PI) / FRAMES),
  }));
}

/** Where a point of the mug is seen: `turn` from the right towards the viewer, in radians. */
function project(turn: number, radius: number, y: number): readonly [number, number] {
  return [round(CENTRE + radius * Math.cos(turn)), round(y + radius * Math.sin(turn) * TILT)];
}

function drawMug(turn: number): string {
  const handle = drawHandle(turn);
  const isBehind = Math.sin(turn) < -0.01;
  return [
    contactShadow(CENTRE, BOTTOM + 20, 290, 62, 0.55),
    isBehind ? handle : '',
    drawBody(turn),
    isBehind ? '' : handle,
  ].join('');
}

/** An upright wall between two heights, with the rounding of its lower edge. */
function wallPath(top: number, bottom: number): string {
  const [left, right, dip] = [CENTRE - RADIUS, CENTRE + RADIUS, RADIUS * TILT];
  return `M${left} ${top}V${bottom - 40}Q${left} ${bottom} ${left + 40} ${bottom + dip * 0.5}A${RADIUS - 40} ${dip} 0 0 0 ${right - 40} ${bottom + dip * 0.5}Q${right} ${bottom} ${right} ${bottom - 40}V${top}A${RADIUS} ${dip} 0 0 1 ${left} ${top}Z`;
}

function drawBody(turn: number): string {
  const [left, right, dip] = [CENTRE - RADIUS, CENTRE + RADIUS, RADIUS * TILT];
  const wall = wallPath(TOP, BOTTOM);
  const glazed = `M${left} ${TOP - 80}V${GLAZE_LINE}A${RADIUS} ${dip} 0 0 0 ${right} ${GLAZE_LINE}V${TOP - 80}Z`;
  return [
    path(wall, cylinder(CREAM, 0.5)),
    clipped(wall, path(glazed, cylinder(GLAZE, 0.4)), drawMotif(turn), drawGloss()),
    line(`M${left} ${GLAZE_LINE}A${RADIUS} ${dip} 0 0 0 ${right} ${GLAZE_LINE}`, darker(GLAZE, 0.4), 4, {
      'stroke-opacity': 0.5,
    }),
    drawRim(),
  ].join('');
}

function drawRim(): string {
  const inside = down(darker(CREAM, 0.5), [0.6, darker(CREAM, 0.22)], lighter(CREAM, 0.1));
  return [
    disc(CENTRE, TOP, RADIUS, RADIUS * TILT, cylinder(lighter(GLAZE, 0.2), 0.5)),
    disc(CENTRE, TOP + 1, RADIUS - 14, (RADIUS - 14) * TILT - 2, inside),
  ].join('');
}

function drawGloss(): string {
  return path(
    `M${CENTRE - 160} ${TOP + 60}Q${CENTRE - 176} 600 ${CENTRE - 160} 820H${CENTRE - 120}Q${CENTRE - 136} 600 ${CENTRE - 120} ${TOP + 68}Z`,
    '#ffffff',
    {
      'fill-opacity': 0.2,
    },
  );
}

/** Waves all around, and a sun on the side that faces the viewer while the handle points right. */
function drawMotif(turn: number): string {
  const facing = turn + Math.PI / 2;
  return [drawSun(facing), repeat(3, index => drawWave(turn, 640 + index * 30))].join('');
}

function drawSun(facing: number): string {
  const points = Array.from({ length: 40 }, (_, index) => {
    const angle = (index / 40) * 2 * Math.PI;
    return [facing + Math.cos(angle) * 0.36, 530 + Math.sin(angle) * 90] as const;
  });
  if (Math.sin(facing) < 0.1) return '';
  const outline = points.map(([at, y]) => project(at, RADIUS, y).join(' ')).join('L');
  return path(`M${outline}Z`, down(lighter('#e8b65a', 0.25), '#d98f3f'));
}

function drawWave(turn: number, height: number): string {
  const points = Array.from({ length: 61 }, (_, index) => {
    const at = (index / 60) * Math.PI;
    return project(at, RADIUS, height + Math.sin((at - turn) * 10) * 11).join(' ');
  });
  return line(`M${points.join('L')}`, CREAM, 7, { 'stroke-opacity': 0.9 });
}

/** The handle is a bent tube in a plane through the mug's axis. */
function drawHandle(turn: number): string {
  const bend = [
    [0.94, 455],
    [1.2, 440],
    [1.58, 470],
    [1.68, 560],
    [1.6, 660],
    [1.3, 745],
    [0.94, 765],
  ] as const;
  const seen = bend.map(([reach, y]) => project(turn, reach * RADIUS, y));
  const d = smooth(seen);
  const shade = Math.sin(turn) < 0 ? 0.25 : 0;
  return handleTube(d, darker(GLAZE, shade));
}

function handleTube(d: string, colour: string): string {
  const shine = { transform: 'translate(-7 -9)' };
  return [
    line(d, darker(colour, 0.45), 66),
    line(d, darker(colour, 0.16), 56),
    line(d, colour, 40, shine),
    line(d, lighter(colour, 0.45), 12, { ...shine, 'stroke-opacity': 0.8 }),
  ].join('');
}

/** A curve through all points (Catmull–Rom, written as Béziers). */
function smooth(points: readonly (readonly [number, number])[]): string {
  const at = (index: number): readonly [number, number] =>
    points[Math.min(points.length - 1, Math.max(0, index))] ?? [0, 0];
  const curves = points.slice(1).map((end, index) => {
    const [before, start, after] = [at(index - 1), at(index), at(index + 2)];
    const first = [round(start[0] + (end[0] - before[0]) / 6), round(start[1] + (end[1] - before[1]) / 6)];
    const second = [round(end[0] - (after[0] - start[0]) / 6), round(end[1] - (after[1] - start[1]) / 6)];
    return `C${first.join(' ')} ${second.join(' ')} ${end.join(' ')}`;
  });
  return `M${at(0).join(' ')}${curves.join('')}`;
}

function drawFromAbove(): string {
  const coffee = around(0.42, 0.38, 0.7, '#7a4a2a', [0.7, '#4a2815'], '#2e170b');
  return [
    disc(630, 640, 400, 390, around(0.5, 0.5, 0.5, [0.6, '#2a1f1c', 0.5], [1, '#2a1f1c', 0])),
    handleTube('M820 600H1000', GLAZE),
    disc(600, 600, 300, 300, around(0.36, 0.32, 0.8, lighter(GLAZE, 0.45), GLAZE, darker(GLAZE, 0.4))),
    disc(600, 600, 272, 272, around(0.6, 0.66, 0.7, lighter(CREAM, 0.4), [0.7, CREAM], darker(CREAM, 0.35))),
    disc(600, 604, 246, 246, coffee),
    disc(600, 604, 234, 234, 'none', { stroke: '#c58f57', 'stroke-width': 14, 'stroke-opacity': 0.45 }),
    line('M440 500C470 420 540 380 610 376', '#ffffff', 16, { 'stroke-opacity': 0.22 }),
  ].join('');
}
