import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../src/config.ts';

// As far as they can be checked without an engine.

const root = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

const instructions = read('Dockerfile')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .flatMap(line => {
    const [, name, value] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ name, value: value.trim() }];
  });
const valuesOf = (name: string) => instructions.flatMap(each => (each.name === name ? [each.value] : []));

interface ComposeFile {
  services: Record<
    string,
    {
      command?: string[];
      environment?: Record<string, string>;
      depends_on?: Record<string, { condition: string }>;
      healthcheck?: { test?: string[]; disable?: boolean };
      volumes?: string[];
    }
  >;
  volumes: Record<string, null>;
}
const compose: ComposeFile = parse(read('compose.yaml'), { merge: true });

const names = Object.values(settings).map(({ name }) => name);
const others = ['MALLOC_ARENA_MAX', 'NODE_ENV', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

test('the image is built of files that are there and that the build may see', () => {
  const copied = valuesOf('COPY').filter(value => !value.startsWith('--from'));
  const sources = copied.flatMap(value => value.split(/ +/).slice(0, -1));
  expect(sources.length).toBeGreaterThan(5);
  const visible = new Set(
    read('.dockerignore')
      .split('\n')
      .filter(line => line.startsWith('!'))
      .map(line => line.slice(1)),
  );
  expect(sources.filter(source => !existsSync(join(root, source)) || !visible.has(source))).toEqual([]);
});

test('the image has the Node that the tests ran on', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  expect(valuesOf('FROM').map(value => value.split(' ')[0])).toEqual(
    Array.from({ length: 2 }, () => `node:${devDependencies.node}-bookworm-slim`),
  );
});

test('the image runs the service as npm does, and not as root', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const flags = scripts.serve.match(/ --\S+/g).map((flag: string) => flag.trim());
  expect(JSON.parse(valuesOf('ENTRYPOINT')[0] ?? '')).toEqual(['node', ...flags, 'main.js']);
  expect(valuesOf('ENV').join(' ')).toContain(scripts.serve.split(' ')[0]);
  expect(valuesOf('USER')).toEqual(['node']);
  expect(valuesOf('HEALTHCHECK').join()).toContain('/health');
});

test('the image and the compose file set what is a setting', () => {
  const ofImage = valuesOf('ENV').flatMap(value => value.split(' ').map(each => each.split('=')[0] ?? ''));
  const ofServices = ['serve', 'work'].flatMap(name =>
    Object.keys(compose.services[name]?.environment ?? {}),
  );
  const set = [...ofImage, ...ofServices];
  expect(set).toContain('DATABASE_URL');
  expect(set.filter(name => !names.includes(name) && !others.includes(name))).toEqual([]);
});

test("the compose file's values are what the settings take", async () => {
  const { parseConfig } = await import('../src/config.ts');
  for (const service of ['serve', 'work']) {
    const given = Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => {
      const filled = String(value)
        .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
        .replace(/\$\{SIGNING_KEYS[^}]*\}/, `main:${'a'.repeat(64)}`);
      return [name, filled] as const;
    });
    expect(() => parseConfig(Object.fromEntries(given))).not.toThrow();
  }
});

test('the compose file waits for what is there, and keeps what must last', () => {
  const { services, volumes } = compose;
  for (const { depends_on = {} } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(Object.keys(services)).toContain(name);
      if (condition === 'service_healthy') expect(services[name]?.healthcheck?.test).toBeDefined();
    }
  }
  const mounted = Object.values(services).flatMap(({ volumes: each = [] }) =>
    each.map(one => one.split(':')[0]),
  );
  expect(mounted.sort()).toEqual(Object.keys(volumes).sort());
});
