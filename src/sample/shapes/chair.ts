import { across, closeUp, darker, disc, down, lighter, line, mirrored, path } from '../draw.ts';
import { OAK, plush, stitches, wood } from '../materials.ts';
import { contactShadow, type Shot } from '../studio.ts';

const WALL = '#e3e6df';
const CANVAS = [1200, 1600] as const;
const FABRIC = '#a9656b';

export function createChairShots(): Shot[] {
  const [width, height] = CANVAS;
  const shot = { width, height, backdrop: WALL };
  return [
    { ...shot, view: 'front', art: drawFront() },
    { ...shot, view: 'side', art: drawSide() },
    { ...shot, view: 'back', art: drawBack() },
    { ...shot, view: 'detail', art: closeUp(drawSide(), CANVAS, [520, 800], 2) },
  ];
}

function drawFrontLeg(): string {
  return wood('M372 960L420 952L352 1392Q340 1400 326 1392Z');
}

function drawRearLeg(): string {
  return wood('M440 960H480L452 1340Q442 1348 430 1340Z', darker(OAK, 0.3));
}

function drawBackrest(): string {
  return 'M360 420Q370 330 470 322Q600 308 730 322Q830 330 840 420L826 640Q816 716 730 724Q600 736 470 724Q384 716 374 640Z';
}

function drawFront(): string {
  const seat =
    'M330 930Q320 868 400 856Q600 836 800 856Q880 868 870 930Q870 968 820 974Q600 996 380 974Q330 968 330 930Z';
  return [
    contactShadow(600, 1390, 320, 36),
    drawRearLeg(),
    mirrored(600, drawRearLeg()),
    wood('M436 680H470L480 900H446Z', darker(OAK, 0.1)),
    wood('M730 680H764L754 900H720Z', darker(OAK, 0.15)),
    plush(drawBackrest(), FABRIC),
    stitches('M396 440Q404 362 480 354Q600 342 720 354Q796 362 804 440', darker(FABRIC, 0.5), 2.6),
    path('M440 1090H760V1112H440Z', down(lighter(OAK, 0.1), darker(OAK, 0.45))),
    drawFrontLeg(),
    mirrored(600, drawFrontLeg()),
    path('M352 960Q600 1010 848 960V990Q600 1030 352 990Z', down(OAK, darker(OAK, 0.45))),
    plush(seat, lighter(FABRIC, 0.05)),
    line('M338 938Q600 972 862 938', darker(FABRIC, 0.45), 4, { 'stroke-opacity': 0.5 }),
  ].join('');
}

function drawSide(): string {
  const rear =
    'M396 330Q372 322 366 346C350 560 430 780 452 960L356 1384Q366 1398 384 1392L516 960C480 780 408 560 414 346Q412 334 396 330Z';
  return [
    contactShadow(610, 1390, 330, 34),
    wood('M842 960H890L918 1388Q906 1398 890 1390Z'),
    wood(rear),
    path('M424 1120L900 1136V1160L418 1146Z', down(lighter(OAK, 0.12), darker(OAK, 0.45))),
    path('M462 950L890 930V984Q680 1010 480 990Z', across(lighter(OAK, 0.2), OAK, darker(OAK, 0.35))),
    plush(
      'M408 352Q440 332 458 372C470 520 500 620 540 700Q544 742 506 740C440 620 402 500 408 352Z',
      FABRIC,
    ),
    plush(
      'M470 900Q476 868 530 862L860 846Q916 846 920 886Q922 930 880 938L520 958Q468 956 470 900Z',
      lighter(FABRIC, 0.05),
    ),
    line('M474 916Q700 914 918 896', darker(FABRIC, 0.45), 4, { 'stroke-opacity': 0.5 }),
    disc(478, 968, 10, 10, darker(OAK, 0.5)),
    disc(866, 958, 10, 10, darker(OAK, 0.5)),
  ].join('');
}

function drawBack(): string {
  const post = 'M412 330H448Q462 330 464 350L500 940L452 1340Q442 1352 426 1344L402 352Q400 332 412 330Z';
  return [
    contactShadow(600, 1370, 320, 36),
    drawFrontLeg(),
    mirrored(600, drawFrontLeg()),
    plush(
      'M350 900Q344 860 420 858H780Q856 860 850 900Q850 944 800 950H400Q350 944 350 900Z',
      darker(FABRIC, 0.2),
    ),
    path('M420 948H780V996H420Z', down(OAK, darker(OAK, 0.45))),
    plush(drawBackrest(), darker(FABRIC, 0.06)),
    wood(post, OAK),
    mirrored(600, wood(post, OAK)),
    path('M440 420Q600 404 760 420V490Q600 474 440 490Z', down(lighter(OAK, 0.2), OAK, darker(OAK, 0.3)), {
      stroke: darker(OAK, 0.5),
      'stroke-width': 2,
    }),
    path('M446 600Q600 586 754 600V660Q600 646 446 660Z', down(lighter(OAK, 0.2), OAK, darker(OAK, 0.3)), {
      stroke: darker(OAK, 0.5),
      'stroke-width': 2,
    }),
    path('M440 1120H760V1144H440Z', down(lighter(OAK, 0.1), darker(OAK, 0.45))),
  ].join('');
}
