import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = readme.split(/^## /m).find(text => text.startsWith('Behind a gateway\n')) ?? '';

const examples = readdirSync(import.meta.dirname)
  .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map(name => readFileSync(join(import.meta.dirname, name), 'utf8'));

test("the README's lines for gateways are those of the examples", () => {
  const snippets = [...section.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, snippet]) => snippet ?? '');
  expect(snippets).not.toEqual([]);
  const invented = snippets.filter(snippet => !examples.some(example => example.includes(snippet)));
  expect(invented).toEqual([]);
});

test('the README leads to examples that are there', () => {
  const paths = [...section.matchAll(/\]\((test\/[^)]+)\)/g)].map(([, path]) => path ?? '');
  expect(paths).not.toEqual([]);
  expect(paths.filter(path => !existsSync(join(root, path)))).toEqual([]);
});
