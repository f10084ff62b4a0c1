import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { advisoryLocks } from '../../src/data/advisory-locks.ts';

const root = join(import.meta.dirname, '../../src');

test('no two purposes share an advisory lock', () => {
  const numbers = Object.values(advisoryLocks).map(BigInt);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('whoever locks takes the number from where all are', () => {
  const lines = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .flatMap(file => readFileSync(join(root, file), 'utf8').split('\n'))
    .filter(line => /pg_\w*advisory_\w*\(/.test(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter(line => !line.includes('advisoryLocks.'))).toEqual([]);
});
