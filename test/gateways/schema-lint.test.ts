import { readFileSync } from 'node:fs';
import { ESLint } from 'eslint';
import { expect, test } from 'vitest';
import { schemaLint, schemaPath } from './schema-lint.ts';

const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: schemaLint, ignore: false });

/** What is wrong with a text in place of schema.graphql, a line each. */
async function lint(schema: string): Promise<string[]> {
  const results = await eslint.lintText(schema, { filePath: 'schema.graphql' });
  return results.flatMap(({ messages }) =>
    messages.map(({ line, ruleId, message }) => `line ${line}: ${message} (${ruleId})`),
  );
}

const schema = readFileSync(schemaPath, 'utf8');

test("the schema keeps graphql-eslint's rules for schemas and for Relay", async () => {
  expect(await lint(schema)).toEqual([]);
});

test('the rules are at work', async () => {
  const broken = schema.replace('type PageInfo {', 'type Page_info {');
  expect(await lint(broken)).toContainEqual(expect.stringMatching(/Page_info.*naming-convention/));
});
