import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, parseConfig, settings } from '../src/config.ts';

const names = Object.values(settings).map(({ name }) => name);
const numbers = Object.values(settings).filter(({ initial }) => /^\d+$/.test(initial));

describe('a setting that is left out', () => {
  test.each(Object.entries(settings))('has a default that is possible: %s', (key, { schema, initial }) => {
    expect(parseConfig({})).toHaveProperty(key, schema.parse(initial));
  });

  test('is the same as an empty one', () => {
    const empty = Object.fromEntries(names.map(name => [name, '']));
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  test('has these defaults', () => {
    expect(parseConfig({})).toMatchObject({
      port: 4000,
      host: '127.0.0.1',
      publicUrl: '',
      corsOrigins: [],
      databaseUrl: '',
      sample: true,
      pageSize: 50,
      maxPageSize: 250,
    });
  });
});

describe('a setting that is given', () => {
  test.each([
    ['PORT', '0', { port: 0 }],
    ['PORT', '65535', { port: 65_535 }],
    ['HOST', 'localhost', { host: 'localhost' }],
    ['HOST', '127.0.0.9', { host: '127.0.0.9' }],
    ['HOST', '::1', { host: '::1' }],
    ['HOST', '0.0.0.0', { host: '0.0.0.0' }],
    [
      'PUBLIC_URL',
      'https://images.shop.example/packshot',
      { publicUrl: 'https://images.shop.example/packshot' },
    ],
    ['CORS_ORIGINS', '*', { corsOrigins: ['*'] }],
    [
      'CORS_ORIGINS',
      'https://shop.example, http://localhost:3000',
      { corsOrigins: ['https://shop.example', 'http://localhost:3000'] },
    ],
    ['DATABASE_URL', 'postgres://shop@db/shop', { databaseUrl: 'postgres://shop@db/shop' }],
    ['DATABASE_URL', 'postgresql://db/shop', { databaseUrl: 'postgresql://db/shop' }],
    ['STORAGE', 's3://bucket/prefix', { storage: 's3://bucket/prefix' }],
    ['SAMPLE', 'off', { sample: false }],
    ['GRAPHIQL', 'off', { graphiql: false }],
    ['GRAPHIQL', 'false', { graphiql: false }],
    ['GRAPHIQL', '1', { graphiql: true }],
    ['LOG_LEVEL', 'silent', { logLevel: 'silent' }],
    ['PAGE_SIZE', '250', { pageSize: 250 }],
    ['CACHE', 'off', { cache: 'off' }],
    ['CACHE', 's3://bucket/renditions', { cache: 's3://bucket/renditions' }],
    ['CACHE_MEMORY_BYTES', '0', { cacheMemoryBytes: 0 }],
    ['SERVE', 'images', { serve: 'images' }],
    ['ZOOM_SIZE', '4096x1', { zoomSize: { width: 4_096, height: 1 } }],
    ['IMAGES_URL', 'https://cdn.example', { imagesUrl: 'https://cdn.example' }],
    ['SIGNING_KEYS', `main:${'x'.repeat(32)}`, { signingKeys: [{ id: 'main', secret: 'x'.repeat(32) }] }],
    [
      'SIGNING_KEYS',
      `2027:${'a:'.repeat(20)},2026:${'~'.repeat(64)}`,
      {
        signingKeys: [
          { id: '2027', secret: 'a:'.repeat(20) },
          { id: '2026', secret: '~'.repeat(64) },
        ],
      },
    ],
  ])('is understood: %s=%s', (name, value, expected) => {
    expect(parseConfig({ [name]: value })).toMatchObject(expected);
  });

  test('that is none of ours is left alone', () => {
    expect(parseConfig({ PATH: '/bin', port: '1' })).toEqual(parseConfig({}));
  });
});

describe('a bad value', () => {
  const wholeNumber = /^it must be a whole number from \d+ to \d+$/;

  test.each([
    ['PORT', '65536', /^it must be a whole number from 0 to 65535$/],
    ['DRAIN_SECONDS', '301', /^it must be a whole number from 0 to 300$/],
    ['DRAIN_SECONDS', 'soon', /^it must be a whole number from 0 to 300$/],
    ['MAX_STRANGER_SUBSCRIBERS', '0', /^it must be a whole number from 1 to 100000$/],
    ['PUBLIC_URL', 'shop.example', /^it must be a URL with http or https$/],
    ['PUBLIC_URL', 'ftp://shop.example', /^it must be a URL with http or https$/],
    ['PUBLIC_URL', 'https://shop.example/api?x=1', /^it must have no query, no fragment and no user$/],
    ['IMAGES_URL', 'https://cdn.example#here', /^it must have no query, no fragment and no user$/],
    ['CORS_ORIGINS', 'shop.example', /^it must be origins such as https:\/\/shop\.example/],
    ['CORS_ORIGINS', 'https://shop.example/', /^it must be origins such as https:\/\/shop\.example/],
    ['CORS_ORIGINS', 'https://shop.example,nonsense', /^it must be origins such as https:\/\/shop\.example/],
    ['DATABASE_URL', 'mysql://db/shop', /^it must be a URL with postgres or postgresql$/],
    ['DATABASE_URL', 'localhost', /^it must be a URL with postgres or postgresql$/],
    ['STORAGE', 'ftp://pictures', /^it must be .*disk.* or .*s3:/],
    ['SAMPLE', 'ON', /^it must be on or off$/],
    ['GRAPHIQL', 'sometimes', /^it must be on or off$/],
    ['LOG_LEVEL', 'loud', /^it must be trace or .* or silent$/],
    ['CACHE', 'memory', /^it must be disk, off, or s3:/],
    ['SERVE', 'pictures', /^it must be all or graphql or images$/],
    ['TINY_SIZE', '44', /^it must be width and height in pixels, such as 1280x1280$/],
    ['TINY_SIZE', '0x58', /^it must be width and height/],
    ['TINY_SIZE', '44X58', /^it must be width and height/],
    ['IMAGES_URL', 'cdn.example', /^it must be a URL with http or https$/],
  ])('is told with what would be right: %s=%s', (name, value, rule) => {
    expectRefused(name, value, rule);
  });

  test.each(numbers.map(({ name }) => name))(
    'of %s is one that is no whole number within its bounds',
    name => {
      for (const value of ['-1', '1.5', '1e3', '0x10', ' 7', 'many', '9'.repeat(20)]) {
        expectRefused(name, value, wholeNumber);
      }
    },
  );

  test.each([
    'short',
    `main:${'x'.repeat(31)}`,
    `Main:${'x'.repeat(32)}`,
    `:${'x'.repeat(32)}`,
    `${'m'.repeat(17)}:${'x'.repeat(32)}`,
    `main:${'x'.repeat(32)} `,
    `main:${'é'.repeat(32)}`,
    `main:${'x'.repeat(32)},`,
    `main:${'x'.repeat(32)},main:${'y'.repeat(32)}`,
    `main:${'x'.repeat(32)},other:${'x'.repeat(32)}`,
  ])('of SIGNING_KEYS is refused without being shown: %s', keys => {
    const [problem, ...others] = problemsOf({ SIGNING_KEYS: keys });
    expect(problem).toMatch(/^SIGNING_KEYS is …; it must be keys such as main:secret, parted by commas: /);
    expect(problem).not.toContain(keys);
    expect(others).toEqual([]);
  });

  test('of SERVE is graphql where nobody says who serves the images', () => {
    expect(problemsOf({ SERVE: 'graphql' })).toEqual([
      'SERVE is graphql; IMAGES_URL must say where the images are, or PUBLIC_URL if they are there, too',
    ]);
    expect(problemsOf({ SERVE: 'graphql', IMAGES_URL: 'https://cdn.example' })).toEqual([]);
    expect(problemsOf({ SERVE: 'graphql', PUBLIC_URL: 'https://shop.example' })).toEqual([]);
  });

  test('is a size beyond MAX_RENDITION_SIDE', () => {
    const environment = { ZOOM_SIZE: '1280x1281', TINY_SIZE: '1281x1', MAX_RENDITION_SIDE: '1280' };
    expect(problemsOf(environment)).toEqual([
      'ZOOM_SIZE is 1280x1281; neither may be more than MAX_RENDITION_SIDE, 1280',
      'TINY_SIZE is 1281x1; neither may be more than MAX_RENDITION_SIDE, 1280',
    ]);
  });

  test('does not hide the others', () => {
    const environment = { SAMPLE: 'maybe', PORT: 'none', PAGE_SIZE: '9', MAX_PAGE_SIZE: '5', HOST: '::1' };
    expect(problemsOf(environment)).toEqual([
      'PORT is "none"; it must be a whole number from 0 to 65535',
      'SAMPLE is "maybe"; it must be on or off',
      'PAGE_SIZE is 9; it must be at most MAX_PAGE_SIZE, 5',
    ]);
  });

  test('with a user for pictures, who would be told everybody, is one', () => {
    expect(problemsOf({ PUBLIC_URL: 'https://me:secret@shop.example/@home' })).toEqual([
      'PUBLIC_URL is "https://…@shop.example/@home"; it must have no query, no fragment and no user',
    ]);
    expect(parseConfig({ PUBLIC_URL: 'https://shop.example/@home' })).toBeDefined();
  });

  test('with a line break stays on one line', () => {
    expect(problemsOf({ SAMPLE: 'on\noff' })).toEqual(['SAMPLE is "on\\noff"; it must be on or off']);
  });
});

describe("the README's table of settings", () => {
  test('has exactly the settings, with their defaults and meanings', () => {
    const expected = Object.values(settings).map(({ name, initial, meaning }) => [
      `\`${name}\``,
      initial || '–',
      meaning,
    ]);
    expect(readSettingsTable()).toEqual(expected);
  });
});

function problemsOf(environment: Record<string, string>): string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error instanceof Error ? error.message.split('\n') : [];
  }
  return [];
}

function expectRefused(name: string, value: string, rule: RegExp): void {
  const [problem = '', ...others] = problemsOf({ [name]: value });
  const [told, right] = problem.split('; ', 2);
  expect({ told, others }).toEqual({ told: `${name} is ${JSON.stringify(value)}`, others: [] });
  expect(right).toMatch(rule);
}

/** The cells of the rows below the table's head. */
function readSettingsTable(): string[][] {
  const lines = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8').split('\n');
  const first = lines.indexOf('| Setting | Default | Meaning |') + 2;
  const end = lines.findIndex((line, index) => index >= first && !line.startsWith('|'));
  return lines.slice(first, end).map(line => line.slice(2, -2).split(' | '));
}
