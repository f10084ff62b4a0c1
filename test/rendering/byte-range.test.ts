import { describe, expect, test } from 'vitest';
import { parseByteRange } from '../../src/rendering/byte-range.ts';

describe('of ten bytes', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-3', 0, 3],
    ['bytes=9-9', 9, 9],
    ['bytes=4-', 4, 9],
    ['bytes=0-', 0, 9],
    ['bytes=7-1000', 7, 9],
    [`bytes=7-${'9'.repeat(400)}`, 7, 9],
    ['bytes=-1', 9, 9],
    ['bytes=-10', 0, 9],
    ['bytes=-11', 0, 9],
    [`bytes=-${'9'.repeat(400)}`, 0, 9],
    ['Bytes=2-3', 2, 3],
    ['bytes= 2-3 ', 2, 3],
  ])('%s are those from %d to %d', (header, start, end) => {
    expect(parseByteRange(header, 10)).toEqual({ start, end });
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0', `bytes=${'9'.repeat(400)}-`])('%s are none', header => {
    expect(parseByteRange(header, 10)).toBe('unsatisfiable');
  });

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=3-2',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=--1',
    'bytes=0-0,2-3',
    'bytes=0-0, -1',
    'items=0-1',
    'bytes 0-1',
    '0-1',
  ])('%j asks for all', header => {
    expect(parseByteRange(header, 10)).toBeNull();
  });
});

test.each(['bytes=0-', 'bytes=-5', 'bytes=0-0'])('of no bytes %s are none', header => {
  expect(parseByteRange(header, 0)).toBe('unsatisfiable');
});
