import type { Random } from './random.ts';

export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
  isOdd?: boolean;
}

const types = [
  ...[
    'application/json',
    'application/json; charset=utf-16',
    'application/graphql',
    'application/graphql+json',
  ],
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=b',
  ],
  ...[
    'multipart/form-data; boundary=',
    'application/json, text/plain',
    '',
    ';',
    'x'.repeat(5_000),
    'image/png',
  ],
];

const accepted = [
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'text/html',
];
const oddlyAccepted = ['multipart/mixed', 'image/png', '', ';q=x', `${'a/b,'.repeat(1_000)}c/d`];

const otherHeaders: Record<string, readonly string[]> = {
  'accept-encoding': ['identity', 'gzip;q=0', '*'],
  origin: ['null', 'https://evil.example', 'x'],
  'x-forwarded-for': ['1.2.3.4', 'x', ','.repeat(1_000)],
  'graphql-require-preflight': ['1'],
  authorization: ['Bearer', 'Bearer a.b.c', 'Basic eDp4', 'x'.repeat(3_000)],
  cookie: ['a=b'],
  expect: [],
  'content-encoding': ['gzip', 'br'],
  range: ['bytes=0-1'],
  'if-none-match': ['*'],
};

const paths = ['/graphql', '/graphql?', '/graphql?query=', '/graphql?query=%', '/graphql?query={imageCount}'];
const oddPaths = [
  '/graphql?query={imageCount}&variables={',
  '/graphql?query={imageCount}&variables=[]',
  '/graphql?query={imageCount}&extensions=1',
  '/graphql?query=mutation{deleteAllProductImages(productId:1){deletedCount}}',
  '/graphql?query={imageCount}&query={nothing}',
  '/graphql?documentId=x',
  '/graphql/../graphql',
  '/graphql%00',
  '/graphql?%ff=%fe&query=%00',
  '//graphql',
];

const part = (name: string, text: string) =>
  `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;

const bodies = (json: string): readonly (string | null)[] => [
  ...[json, null, '', '{', '[]', 'null', '1', '"x"', '{}', '{"query":null}', '{"query":1}', '{"query":{}}'],
  ...[
    '{"query":"{imageCount}","variables":1}',
    '{"query":"{imageCount}","operationName":{}}',
    '\u0000',
    '{imageCount}',
  ],
  ...['query=%7BimageCount%7D', `${part('operations', json)}--b--\r\n`, '--b--', '--b\r\n', `[${json}]`],
  `${part('operations', json)}${part('map', '{"0":["variables.v0"]}')}--b--\r\n`,
  `${part('operations', '{"query":"{imageCount}","variables":{"a":null}}')}${part('map', '{"0":["variables.__proto__.x"]}')}--b--\r\n`,
  `${part('operations', '[]')}${part('map', '[1]')}--b--\r\n`,
];

/** A request of a client that is confused, or pretends to be. */
export function generateRequest(json: string, random: Random): HttpRequest {
  const method = random.pick(['POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']);
  const headers: Record<string, string> = {
    'content-type': random.chance(0.4) ? 'application/json' : random.pick(types),
    accept: random.pick(random.chance(0.7) ? accepted : oddlyAccepted),
  };
  for (const [name, values] of Object.entries(otherHeaders)) {
    if (values.length > 0 && random.chance(0.15)) headers[name] = random.pick(values);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return {
    method,
    path: random.chance(0.6) ? '/graphql' : random.pick([...paths, ...oddPaths]),
    headers,
    isOdd: true,
    body: hasBody ? random.pick(bodies(json)) : null,
  };
}
