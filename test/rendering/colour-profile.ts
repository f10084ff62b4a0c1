/** Red, green and blue as XYZ under D50, as a profile names them. */
export type Primaries = readonly (readonly [x: number, y: number, z: number])[];

export const adobeRgb: Primaries = [
  [0.60974, 0.31111, 0.01947],
  [0.20528, 0.62567, 0.06087],
  [0.14919, 0.06322, 0.74457],
];

export const standardRgb: Primaries = [
  [0.43607, 0.22249, 0.01392],
  [0.38515, 0.71687, 0.09708],
  [0.14307, 0.06061, 0.7141],
];

/** From a stored value to light, both 0 to 1. */
export type Transfer = (value: number) => number;

export const adobeTransfer: Transfer = value => value ** 2.19921875;

export const standardTransfer: Transfer = value =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

/** An ICC profile of version 2.1, of the simple kind: a curve, then a matrix (ICC.1:2001-04). */
export function createRgbProfile(primaries: Primaries, transfer: Transfer): Buffer {
  const columns = primaries.map(xyz => xyzTag(xyz));
  const curve = curveTag(transfer);
  return profile('RGB ', [
    ...['rXYZ', 'gXYZ', 'bXYZ'].map((name, index) => [name, columns[index] ?? curve] as const),
    ...['rTRC', 'gTRC', 'bTRC'].map(name => [name, curve] as const),
  ]);
}

export function createGreyProfile(transfer: Transfer): Buffer {
  return profile('GRAY', [['kTRC', curveTag(transfer)]]);
}

const d50 = [0.9642, 1, 0.8249] as const;

function profile(colourSpace: string, tags: (readonly [name: string, tag: Buffer])[]): Buffer {
  const all = [['desc', descriptionTag()], ['cprt', textTag()], ['wtpt', xyzTag(d50)], ...tags] as const;
  const table = Buffer.alloc(4 + all.length * 12);
  table.writeUInt32BE(all.length);
  let offset = 128 + table.length;
  for (const [index, [name, tag]] of all.entries()) {
    table.write(name, 4 + index * 12, 'latin1');
    table.writeUInt32BE(offset, 8 + index * 12);
    table.writeUInt32BE(tag.length, 12 + index * 12);
    offset += tag.length;
  }
  return Buffer.concat([header(colourSpace, offset), table, ...all.map(([, tag]) => tag)]);
}

function header(colourSpace: string, size: number): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.writeUInt32BE(size);
  bytes.writeUInt32BE(0x02100000, 8);
  bytes.write(`mntr${colourSpace}XYZ `, 12, 'latin1');
  bytes.writeUInt16BE(2024, 24);
  bytes.writeUInt16BE(1, 26);
  bytes.writeUInt16BE(1, 28);
  bytes.write('acsp', 36, 'latin1');
  xyzTag(d50).copy(bytes, 68, 8);
  return bytes;
}

function xyzTag(xyz: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  for (const [index, value] of xyz.entries()) tag.writeInt32BE(Math.round(value * 65_536), 8 + index * 4);
  return tag;
}

function curveTag(transfer: Transfer): Buffer {
  const points = 1_024;
  const tag = Buffer.alloc(12 + points * 2);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(points, 8);
  for (let index = 0; index < points; index += 1) {
    tag.writeUInt16BE(Math.round(transfer(index / (points - 1)) * 65_535), 12 + index * 2);
  }
  return tag;
}

function descriptionTag(): Buffer {
  const tag = Buffer.alloc(92);
  tag.write('desc', 'latin1');
  tag.writeUInt32BE(2, 8);
  tag.write('t', 12, 'latin1');
  return tag;
}

function textTag(): Buffer {
  return Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1');
}
