import { expect, test } from 'vitest';
import {
  everyColumn,
  findColumnSet,
  type ImageColumn,
  widenColumnSet,
} from '../../src/data/image-columns.ts';

test('a set has what is asked for, and what tells images apart', () => {
  expect([...findColumnSet(['name', 'width']).names]).toEqual(['id', 'productId', 'name', 'width']);
});

test('equal sets are one', () => {
  expect(findColumnSet(['state', 'name'])).toBe(findColumnSet(['name', 'state', 'id']));
});

test('a source until it is imported is part of the whole one, with the state', () => {
  const partly = findColumnSet(['sourceUntilImported', 'byteSize']);
  expect([...partly.names]).toEqual(['id', 'productId', 'sourceUntilImported', 'byteSize']);
  expect(Object.keys(partly.columns)).toEqual(['id', 'productId', 'byteSize', 'sourceUrl']);
  const whole = findColumnSet(['sourceUntilImported', 'sourceUrl', 'byteSize']);
  expect([...whole.names]).toEqual(['id', 'productId', 'sourceUrl', 'byteSize', 'state']);
  expect(findColumnSet(['sourceUntilImported', 'state', 'byteSize'])).toBe(whole);
  expect(findColumnSet([...everyColumn.names, 'sourceUntilImported'])).toBe(everyColumn);
});

test('a set is widened to the same one each time, which counts for nothing', () => {
  const shown = findColumnSet(['altText']);
  const wide = widenColumnSet(shown, ['fileHash', 'altText']);
  expect([...wide.names]).toEqual(['id', 'productId', 'altText', 'fileHash']);
  expect(widenColumnSet(shown, ['fileHash', 'altText'])).toBe(wide);
  expect(widenColumnSet(everyColumn, ['fileHash'])).toBe(everyColumn);
});

test('whoever thinks up many sets gets larger ones that are there already', () => {
  const columns = [...everyColumn.names];
  const sets = columns.flatMap((one, at) => columns.slice(at).map(other => findColumnSet([one, other])));
  expect(new Set(sets).size).toBeLessThanOrEqual(16);
  const wanted: ImageColumn[] = ['thumbhash', 'importClaim'];
  expect(findColumnSet(wanted).names.isSupersetOf(new Set(wanted))).toBe(true);
});
