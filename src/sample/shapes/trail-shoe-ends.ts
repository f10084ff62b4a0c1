import { across, clipped, darker, down, lighter, line, path, repeat } from '../draw.ts';
import { GRAPHITE, MUSTARD, TERRACOTTA } from '../materials.ts';
import { contactShadow, dropShadow } from '../studio.ts';

const RUBBER = '#26282c';

function drawTread(): string {
  const lugs = repeat(6, index => path(`M${592 + index * 71} 880h56l-6 44h-44Z`, down('#2b2d31', '#121315')));
  const foam = 'M566 790Q556 880 592 888H1008Q1044 880 1034 790Q800 840 566 790Z';
  return [
    lugs,
    path(foam, across('#b9b0a0', [0.3, '#fbf7ef'], [0.7, '#ece5d8'], '#a89f90'), {
      stroke: '#8f8778',
      'stroke-width': 2,
    }),
    path('M560 862Q800 884 1040 862Q1036 890 1008 892H592Q564 890 560 862Z', RUBBER),
  ].join('');
}

function shell(outline: string): string {
  const form = across(
    darker(TERRACOTTA, 0.4),
    [0.3, lighter(TERRACOTTA, 0.16)],
    [0.62, TERRACOTTA],
    darker(TERRACOTTA, 0.45),
  );
  return path(outline, form, { stroke: darker(TERRACOTTA, 0.6), 'stroke-width': 2 });
}

/** The shoe from behind. */
export function drawHeel(): string {
  const outline =
    'M580 806C560 690 610 590 640 470Q650 392 690 372H910Q950 392 960 470C990 590 1040 690 1020 806Q800 850 580 806Z';
  const counter =
    'M590 806C584 700 640 610 690 590Q800 560 910 590C960 610 1016 700 1010 806Q800 850 590 806Z';
  return [
    contactShadow(800, 922, 270, 30, 0.6),
    drawTread(),
    shell(outline),
    path(counter, across(darker(TERRACOTTA, 0.7), [0.3, darker(TERRACOTTA, 0.4)], darker(TERRACOTTA, 0.75))),
    line(
      'M600 790C598 704 648 622 694 602Q800 574 906 602C952 622 1002 704 1000 790',
      lighter(TERRACOTTA, 0.4),
      3,
      {
        'stroke-dasharray': '10 7',
      },
    ),
    path(
      'M690 372Q800 430 910 372Q930 384 936 404Q800 476 664 404Q672 384 690 372Z',
      darker(TERRACOTTA, 0.66),
    ),
    path(
      'M764 330Q800 312 836 330L828 640Q800 660 772 640Z',
      across(darker(MUSTARD, 0.25), lighter(MUSTARD, 0.25), darker(MUSTARD, 0.3)),
    ),
    path('M776 344Q800 334 824 344V392Q800 402 776 392Z', darker(TERRACOTTA, 0.6)),
    repeat(3, index =>
      line(`M690 ${700 + index * 34}Q800 ${680 + index * 34} 910 ${700 + index * 34}`, MUSTARD, 9),
    ),
  ].join('');
}

/** The shoe from its toe. */
export function drawToe(): string {
  const outline =
    'M572 806C560 700 610 620 650 560L690 400Q800 350 910 400L950 560C990 620 1040 700 1028 806Q800 850 572 806Z';
  const cap = 'M580 806C574 720 640 668 800 660C960 668 1026 720 1020 806Q800 850 580 806Z';
  return [
    contactShadow(800, 922, 280, 30, 0.6),
    path(
      'M690 420Q660 330 720 312Q800 292 880 312Q940 330 910 420Z',
      down(lighter(GRAPHITE, 0.2), darker(GRAPHITE, 0.3)),
    ),
    drawTread(),
    shell(outline),
    path(
      'M716 400Q800 350 884 400L900 660Q800 620 700 660Z',
      down(lighter(GRAPHITE, 0.14), darker(GRAPHITE, 0.3)),
    ),
    repeat(5, index => drawLace(430 + index * 48, 82 + index * 5)),
    path('M716 340Q800 312 884 340L880 392Q800 364 720 392Z', down(lighter(GRAPHITE, 0.3), GRAPHITE)),
    path(cap, down(darker(TERRACOTTA, 0.25), darker(TERRACOTTA, 0.62))),
    line('M586 792C584 726 644 676 800 670C956 676 1016 726 1014 792', lighter(TERRACOTTA, 0.4), 3, {
      'stroke-dasharray': '10 7',
    }),
    path('M640 730Q700 690 800 690Q720 706 670 750Z', '#ffffff', { 'fill-opacity': 0.16 }),
  ].join('');
}

function drawLace(y: number, reach: number): string {
  const strand = `M${800 - reach} ${y}Q800 ${y + 26} ${800 + reach} ${y}`;
  const holes = line(`M${800 - reach} ${y}v.1M${800 + reach} ${y}v.1`, '#2a1a14', 24);
  return `${holes}${line(strand, '#8f8778', 22)}${line(strand, '#f4efe4', 17)}`;
}

/** The outsole, lying on its side with the toe to the right. */
export function drawSole(): string {
  const outline =
    'M260 600C260 470 350 430 480 440C620 450 700 500 840 470C1000 430 1180 380 1300 470C1390 540 1390 680 1290 750C1160 830 1000 770 840 740C700 710 620 760 480 770C350 776 260 730 260 600Z';
  const row = (index: number): string => {
    const x = 250 + index * 66;
    const chevron = `M${x} 600L${x + 44} 530H${x + 84}L${x + 42} 600L${x + 84} 670H${x + 44}Z`;
    const outer = `M${x + 36} 500L${x + 66} 430H${x + 110}L${x + 84} 500ZM${x + 36} 700L${x + 66} 770H${x + 110}L${x + 84} 700Z`;
    const colour = index > 5 && index < 9 ? MUSTARD : RUBBER;
    const edge = { stroke: '#0d0e10', 'stroke-width': 3 };
    return path(`${chevron}${outer}`, down(lighter(colour, 0.26), darker(colour, 0.2)), edge);
  };
  return [
    dropShadow(outline, 18, 60, 0.4),
    path(outline, down(lighter(TERRACOTTA, 0.1), darker(TERRACOTTA, 0.3)), {
      stroke: '#f4efe4',
      'stroke-width': 18,
    }),
    clipped(outline, path(outline, '#1b1c1f', { 'fill-opacity': 0.35 }), repeat(18, row)),
    line('M300 560C310 480 380 456 480 464', '#ffffff', 6, { 'stroke-opacity': 0.3 }),
  ].join('');
}
