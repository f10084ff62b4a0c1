import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { schemaPath } from './schema-lint.ts';

// At a release: cp schema.graphql test/gateways/released.graphql
const released = readFileSync(join(import.meta.dirname, 'released.graphql'), 'utf8');
const current = readFileSync(schemaPath, 'utf8');

/** What a client of the first would no longer find in the second. */
async function listBreakingChanges(before: string, after: string): Promise<string[]> {
  const changes = await diff(buildSchema(before), buildSchema(after));
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ message }) => message);
}

test('nothing that the last release offered is gone', async () => {
  expect(await listBreakingChanges(released, current)).toEqual([]);
});

test.for([
  ['imagesVersion: Int!', 'imagesVersion: Int', "Field 'Product.imagesVersion' changed type"],
  ['totalCount: Int!', 'total: Int!', "Field 'totalCount' was removed"],
  ['expectedVersion: Int\n', 'expectedVersion: Int!\n', 'expectedVersion'],
] as const)('a change from %j to %j is noticed', async ([before, after, told]) => {
  const changes = await listBreakingChanges(current, current.replace(before, after));
  expect(changes).toContainEqual(expect.stringContaining(told));
});
