import { describe, expect, test } from 'vitest';
import { typeNumbers } from '../../src/data/row-values.ts';
import { formatTime, parseUtcTime } from '../../src/data/time-text.ts';
import { PlanFailed } from '../../src/graphql/plan-failed.ts';
import { findWriteValue } from '../../src/graphql/written-values.ts';

function write(typeName: string, type: number, value: string, isEnum = false): string {
  const bytes = Buffer.from(`before${value}behind`);
  const end = bytes.length - 'behind'.length;
  const to = Buffer.alloc(6 * bytes.length + 30, '?');
  const at = findWriteValue(typeName, isEnum, type)?.(to, 3, bytes, 'before'.length, end) ?? 0;
  expect(to.toString('utf8', 0, 3)).toBe('???');
  expect(to.subarray(at).every(byte => byte === '?'.charCodeAt(0))).toBe(true);
  return to.toString('utf8', 3, at);
}

describe('text is written as JSON.stringify does it', () => {
  const everyControl = String.fromCharCode(...Array(0x24).keys());
  test.each([
    '',
    'sofa.jpg',
    'He said "no" \\ /',
    everyControl,
    '\u007f\u0080\u009f\u00a0\u2028\u2029\ufeff',
    'Größe, 大きさ, 👟👩‍👩‍👧, مقاس',
    '\\u0041 </script>',
  ])('%j', text => {
    for (const name of ['String', 'ID', 'URL', 'Locale']) {
      expect(write(name, typeNumbers.text, text)).toBe(JSON.stringify(text));
    }
    expect(write('ProductImageType', 16_414, text, true)).toBe(JSON.stringify(text));
  });
});

test('other values are written as GraphQL has them', () => {
  expect(write('ID', typeNumbers.int8, '9223372036854775807')).toBe('"9223372036854775807"');
  expect(write('Int', typeNumbers.int4, '-2147483648')).toBe('-2147483648');
  expect(write('Boolean', typeNumbers.bool, 't')).toBe('true');
  expect(write('Boolean', typeNumbers.bool, 'f')).toBe('false');
  expect(write('String', typeNumbers.bytea, '\\x00ff')).toBe('"00ff"');
});

describe('a time is written as if it had been a date before', () => {
  test.each([
    '2024-10-17 07:48:05+00',
    '2024-10-17 07:48:05.1+00',
    '2024-10-17 07:48:05.29+00',
    '2024-10-17 07:48:05.123456+00',
    '2024-10-17 07:48:05.999999+00',
    '1000-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999+00',
  ])('%s', text => {
    const date = parseUtcTime(text);
    expect(write('DateTime', typeNumbers.timestamptz, text)).toBe(`"${date && formatTime(date)}"`);
  });

  test.each([
    'infinity',
    '-infinity',
    '12024-10-17 07:48:05+00',
    '0999-01-01 00:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    '2024-10-17 07:48:05+01:30',
  ])('%s is left to others', text => {
    expect(() => write('DateTime', typeNumbers.timestamptz, text)).toThrow(PlanFailed);
  });
});

test('what would have to become something else first is not written', () => {
  expect(findWriteValue('Int', false, typeNumbers.int8)).toBe(null);
  expect(findWriteValue('Float', false, typeNumbers.float8)).toBe(null);
  expect(findWriteValue('String', false, typeNumbers.jsonb)).toBe(null);
  expect(findWriteValue('ProductImageType', true, typeNumbers.int4)).toBe(null);
});
