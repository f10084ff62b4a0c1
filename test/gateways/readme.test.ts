import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = readme
  .split(/^## /m)
  .filter(text => /^(Behind a gateway|Live changes)\n/.test(text))
  .join('');

const examples = [import.meta.dirname, join(import.meta.dirname, 'clients')].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => readFileSync(join(folder, name), 'utf8')),
);

test("the README's lines for gateways and clients are those of the examples", () => {
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
