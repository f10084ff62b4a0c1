import { describe, expect, test } from 'vitest';
import { formatTime, parseUtcTime } from '../../src/data/time-text.ts';

const times = [
  0, -1, 1, 999, 86_399_999, 86_400_000, -86_400_001, 1_729_151_285_123, 253_402_300_799_999,
  253_402_300_800_000, -62_198_755_200_000, 8_640_000_000_000_000, -8_640_000_000_000_000,
];

describe('a time is written', () => {
  test.each(times)('as toISOString does it: %d', ms => {
    expect(formatTime(new Date(ms))).toBe(new Date(ms).toISOString());
  });

  test('the same after another day', () => {
    for (let ms = 1_700_000_000_000; ms < 1_701_000_000_000; ms += 7_654_321) {
      expect(formatTime(new Date(ms))).toBe(new Date(ms).toISOString());
    }
  });

  test('never where it is none', () => {
    formatTime(new Date(0));
    expect(() => formatTime(new Date(Number.NaN))).toThrow(RangeError);
  });
});

describe('a time of Postgres is read', () => {
  test.each([
    ['2024-10-17 07:48:05+00', '2024-10-17T07:48:05.000Z'],
    ['2024-10-17 07:48:05.1+00', '2024-10-17T07:48:05.100Z'],
    ['2024-10-17 07:48:05.29+00', '2024-10-17T07:48:05.290Z'],
    ['2024-02-29 23:59:59.999+00', '2024-02-29T23:59:59.999Z'],
    ['9999-12-31 00:00:00.123999+00', '9999-12-31T00:00:00.123Z'],
  ])('%s', (text, expected) => {
    expect(parseUtcTime(text)?.toISOString()).toBe(expected);
  });

  test.each([
    '2024-10-17 07:48:05+02',
    '0044-03-15 12:00:00+00 BC',
    '0044-03-15 12:00:00+00',
    '12024-01-01 00:00:00+00',
    'infinity',
    '',
  ])('by others: %s', text => {
    expect(parseUtcTime(text)).toBeNull();
  });
});
