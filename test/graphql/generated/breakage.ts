import type { GeneratedOperation } from './operation.ts';
import type { Random } from './random.ts';

type Breakage = (operation: GeneratedOperation, random: Random) => GeneratedOperation;

/** The operation with something in it that is not as it should be, or the body of a request that has such. */
export function breakOperation(operation: GeneratedOperation, random: Random): string {
  let broken = operation;
  for (let times = random.between(1, 3); times > 0; times--) broken = random.pick(breakages)(broken, random);
  const body = JSON.stringify(broken);
  return random.chance(0.2) ? random.pick(bodyBreakages)(body, random) : body;
}

const ofQuery =
  (change: (query: string, random: Random) => string): Breakage =>
  (operation, random) => ({ ...operation, query: change(operation.query, random) });

const oddities = [
  ...['\u0000', '\ud800', '\udfff', '\ufeff', '\u2028', '👟', '"', '"""', '#', '\\', '\\u{110000}', '@', '$'],
  ...[
    '@include(if: true)',
    '@skip',
    '@nothing(x: 1)',
    '...',
    '... on Nobody { id }',
    '...Nobody',
    '1e999',
    '-',
  ],
  ...[
    '99999999999999999999999',
    '0x1',
    '1.',
    '""',
    'null',
    '[]',
    '{}',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    '|',
    '&',
    '!',
  ],
  ...[
    '__schema { types { name } }',
    '__type(name: "Query") { name }',
    '__proto__',
    'constructor',
    'toString',
  ],
];

/** Words, signs and what is between them. */
const tokensOf = (query: string) => query.split(/(\s+|[(){}[\]:,$@!])/);

const wrongValues: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1e308,
    12_345_678_901_234_567_000,
    0.5,
    '',
    'NaN',
    'x'.repeat(5_000),
    '\u0000',
    '\ud800',
  ],
  ...[[], {}, [null], [[1]], { a: 1 }, { __proto__: null, toString: 1 }, { length: 5 }, ['1', 2, null]],
];

const breakages: readonly Breakage[] = [
  ofQuery((query, random) => query.slice(0, random.between(0, query.length))),
  ofQuery((query, random) => query.slice(random.between(0, query.length))),
  ofQuery((query, random) => {
    const at = random.between(0, query.length);
    return query.slice(0, at) + random.pick(oddities) + query.slice(at);
  }),
  ofQuery((query, random) => {
    const tokens = tokensOf(query);
    tokens[random.between(0, tokens.length - 1)] = random.pick(oddities);
    return tokens.join('');
  }),
  ofQuery((query, random) => {
    const tokens = tokensOf(query);
    const [one, other] = [random.between(0, tokens.length - 1), random.between(0, tokens.length - 1)];
    [tokens[one], tokens[other]] = [tokens[other] ?? '', tokens[one] ?? ''];
    return tokens.join('');
  }),
  ofQuery((query, random) => {
    const tokens = tokensOf(query);
    const at = random.between(0, tokens.length - 1);
    return [...tokens.slice(0, at), ...tokens.slice(at, at + 6), ...tokens.slice(at)].join('');
  }),
  ofQuery((query, random) =>
    query.replace(/\d+/g, number => (random.chance(0.5) ? `${number}0000000000` : number)),
  ),
  ofQuery((query, random) => {
    const depth = random.pick([10, 100, 1_000, 4_000]);
    const [open, close] = random.pick([
      ['{ product(id: 1) ', '}'],
      ['{ ... ', '}'],
      ['[', ']'],
      ['{ a: ', '}'],
      ['{ parent ', '}'],
    ] as const);
    const at = random.between(0, query.length);
    return query.slice(0, at) + open.repeat(depth) + close.repeat(depth) + query.slice(at);
  }),
  ofQuery((query, random) => query.repeat(random.between(2, 5))),
  ({ query, variables }, random) => ({
    query,
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [
        name,
        random.chance(0.5) ? random.pick(wrongValues) : value,
      ]),
    ),
  }),
  ({ query, variables }, random) => {
    const depth = random.pick([5, 500, 20_000]);
    const nested: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    const names = Object.keys(variables);
    // JavaScript itself writes no deeper ones.
    return depth > 500
      ? { query, variables }
      : { query, variables: { ...variables, [random.pick([...names, 'x'])]: nested } };
  },
];

const bodyBreakages: readonly ((body: string, random: Random) => string)[] = [
  (body, random) => body.slice(0, random.between(0, body.length)),
  body => body.replace(/:(\d+|true|null)/, ':NaN'),
  body => body.replace(/"variables":\{/, `"variables":{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},`),
  (body, random) => body.replace(/"v0":/, `"v0":${'['.repeat(random.pick([200, 20_000]))},"v0":`),
  body => body.replace(/"(v\d+)":("[^"]*"|\d+)/, `"$1":${'['.repeat(50_000)}${']'.repeat(50_000)}`),
  body => body.replace(/"(v\d+)":("[^"]*"|\d+)/, `"$1":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
  body =>
    body.replace(
      /"(url|locale|x|text)":("[^"]*"|[\d.]+)/g,
      `"$1":${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    ),
  body => `[${body},${body}]`,
  body => body.replace('"query"', '"id":"x","query"'),
  body => body.replace('"query"', '"operationName":"Nobody","query"'),
  body => body.replace('"query"', '"extensions":{"persistedQuery":{"version":1,"sha256Hash":[]}},"query"'),
  body => body.replace('{', '{"__proto__":{"query":1},'),
];
