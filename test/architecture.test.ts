import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));

/** A file's room: its folder, or its own name for the files at the top. */
function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : basename(file, '.ts');
}

const imports = files.flatMap(file => {
  const text = readFileSync(join(root, file), 'utf8');
  const targets = text.matchAll(/(?:\bfrom |^import |\bimport\()'([^']+)'/gm);
  return [...targets].map(([, target]) => ({ file, target: target ?? '' }));
});

/** Whom each room may import, besides itself. */
const mayImport: Record<string, string[]> = {
  errors: [],
  log: [],
  tracing: [],
  'post-head': [],
  'whole-posts': ['listen', 'post-head'],
  metrics: [],
  config: ['errors'],
  data: ['errors', 'log'],
  storage: ['errors', 'log'],
  access: ['errors', 'log'],
  gallery: ['data', 'storage', 'errors', 'log'],
  imaging: ['errors', 'log'],
  rendering: ['imaging', 'storage', 'errors', 'log', 'tracing'],
  importing: ['data', 'gallery', 'imaging', 'storage', 'errors', 'log', 'tracing'],
  bulk: ['data', 'gallery', 'errors', 'log'],
  sheet: [],
  sample: ['data', 'gallery', 'importing', 'storage', 'errors', 'log'],
  graphql: ['data', 'gallery', 'access', 'importing', 'rendering', 'errors', 'log', 'tracing'],
};

/** The API knows how an address is written and how a file is handed in; not how pictures are made or fetched. */
const wordsForGraphql = [
  ...['address', 'recipe', 'resolve-recipe', 'srcset'].map(name => `rendering/${name}.ts`),
  'importing/intake.ts',
];

/** The files at the top put the rooms together. */
const atTheTop = new Set([
  'main',
  'app',
  'image-app',
  'credentials',
  'keys-command',
  'listen',
  'overload',
  'readiness',
  'resources',
  'routes',
  'watch-requests',
  'watching',
]);

const ownerOf: Record<string, string[]> = {
  '@pothos/core': ['graphql'],
  '@pothos/plugin-scope-auth': ['graphql'],
  jose: ['access'],
  'graphql-yoga': ['graphql'],
  '@whatwg-node/server': ['graphql'],
  graphql: ['graphql'],
  '@graphql-tools/utils': ['graphql'],
  '@graphql-yoga/render-graphiql': ['graphql'],
  '@fastify/busboy': ['graphql'],
  dataloader: ['data'],
  postgres: ['data'],
  'drizzle-orm': ['data'],
  'fractional-indexing': ['gallery'],
  'lru-cache': ['rendering', 'access', 'graphql', 'metrics', 'post-head'],
  'content-disposition': ['rendering'],
  sharp: ['imaging', 'sample'],
  'csv-parse': ['bulk'],
  'csv-stringify': ['bulk'],
  thumbhash: ['importing', 'sheet'],
  undici: ['importing'],
  'ipaddr.js': ['importing', 'access'],
  flydrive: ['storage'],
  '@aws-sdk/client-s3': ['storage'],
  pino: ['log'],
  'prom-client': ['metrics'],
  '@opentelemetry/api': ['tracing'],
  zod: ['config'],
};

test('a room imports only those that it may', () => {
  const forbidden = imports.flatMap(({ file, target }) => {
    if (!target.startsWith('.')) return [];
    const imported = normalize(join(dirname(file), target));
    const [from, to] = [roomOf(file), roomOf(imported)];
    if (from === to || atTheTop.has(from)) return [];
    const isWord =
      from !== 'graphql' || !['rendering', 'importing'].includes(to) || wordsForGraphql.includes(imported);
    return mayImport[from]?.includes(to) && isWord ? [] : [`${file} → ${imported}`];
  });
  expect(forbidden).toEqual([]);
});

test('a library is used by its owners only', () => {
  const strangers = imports.flatMap(({ file, target }) => {
    if (target.startsWith('.') || target.startsWith('node:')) return [];
    const library = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/');
    return ownerOf[library]?.includes(roomOf(file)) ? [] : [`${file} → ${library}`];
  });
  expect(strangers).toEqual([]);
});

test('only main.ts reads the environment', () => {
  const readers = files.filter(file => readFileSync(join(root, file), 'utf8').includes('process.env'));
  expect(readers).toEqual(['main.ts']);
});

test('no file is a grab bag', () => {
  const bags = new Set(['index', 'utils', 'util', 'helpers', 'common', 'services', 'types', 'misc']);
  expect(files.filter(file => file.split('/').some(part => bags.has(basename(part, '.ts'))))).toEqual([]);
});

test('no file has more than 300 lines', () => {
  const long = files.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 300);
  expect(long).toEqual([]);
});
