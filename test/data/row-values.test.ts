import { expect, test } from 'vitest';
import { findReader } from '../../src/data/row-values.ts';

const enumeration = { name: 'state', type: 20_000 };

test('values of an enumeration are read whether the row before had the same, another, or a part of it', () => {
  const read = findReader(enumeration);
  const values = ['UPLOADED', 'UPLOADED', 'UP', 'UPLOADED', 'UPLOADEX', '', 'FAILED', '', 'größer', 'größer'];
  const bytes = Buffer.from(values.join(''));
  let from = 0;
  const known = values.map(value => {
    const to = from + Buffer.byteLength(value);
    const text = read(bytes, from, to);
    from = to;
    return text;
  });
  expect(known).toEqual(values);
});

test('what is read once does not change with the bytes that it was read from', () => {
  const read = findReader(enumeration);
  const bytes = Buffer.from('FAILEDFAILED');
  expect(read(bytes, 0, 6)).toBe('FAILED');
  bytes.write('PENDIN', 0);
  expect([read(bytes, 0, 6), read(bytes, 6, 12)]).toEqual(['PENDIN', 'FAILED']);
});
