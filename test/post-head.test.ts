import { expect, test } from 'vitest';
import { createHeadReader, isWholeGet } from '../src/post-head.ts';

const readHead = createHeadReader('/graphql');
const read = (...lines: string[]) =>
  readHead(
    Buffer.from(
      ['POST /graphql HTTP/1.1', 'Host: x', 'Content-Length: 2', ...lines, '', '{}'].join('\r\n'),
      'latin1',
    ),
  );

test('what surrounds a value is left out, and nothing else', () => {
  const values = (...lines: string[]) => read(...lines)?.headers;
  expect(values('a: \t b \t c \t ', 'd:e', 'f:', 'g: \t')).toEqual({
    host: 'x',
    'content-length': '2',
    ...{ a: 'b \t c', d: 'e', f: '', g: '' },
  });
  expect(values('a: \xa0\xe4\xa0')).toMatchObject({ a: '\xa0\xe4\xa0' });
});

test.each([
  ['twice the same', ['a: 1', 'A: 2']],
  ['a name with a space', ['a b: 1']],
  ['a name of nothing', [': 1']],
  ['no colon', ['a']],
  ['what no value may have', ['a: \x00']],
  ['what is deleted', ['a: \x7f']],
])('headers with %s are for others to read', (_what, lines) => {
  expect(read(...lines)).toMatchObject({ headers: null, bodyLength: 2 });
});

test('a name that objects have from elsewhere is a header as any other', () => {
  const { headers } = read('__proto__: 1', 'constructor: 2') ?? {};
  expect(Object.entries(headers ?? {}).slice(2)).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
});

test('thousands of blanks take no longer than other characters', () => {
  const startedAt = performance.now();
  for (let at = 0; at < 200; at++) {
    const blanks = ' '.repeat(3_800);
    expect(read(`a: ${at}${blanks}b`)?.headers).not.toBeNull();
    expect(read(`a:${blanks}${at}\x01`)?.headers).toBeNull();
  }
  // Each would take ten milliseconds by a regular expression that tries all beginnings.
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('a GET is whole where it has no body', () => {
  const whole = 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n';
  const isWhole = (text: string) => isWholeGet(Buffer.from(text));
  expect(isWhole(whole)).toBe(true);
  for (const text of [
    '',
    whole.slice(0, -1),
    `${whole}x`,
    whole + whole,
    whole.replace('GET', 'POST'),
    whole.replace('host: x', 'host: x\r\ncontent-length: 0'),
    whole.replace('host: x', 'host: x\r\ntransfer-encoding: chunked'),
    whole.replace('host: x', 'host: x\r\nupgrade: websocket'),
  ])
    expect(isWhole(text)).toBe(false);
});

test('whatever comes is read without an error', () => {
  const post = 'POST /graphql HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\nContent-Length: 2\r\n\r\n{}';
  const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
  const readBoth = (chunk: Buffer) => [readHead(chunk), isWholeGet(chunk)];
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed % below;
  };
  for (const text of [post, get]) {
    for (let end = 0; end < text.length; end++)
      expect(readBoth(Buffer.from(text.slice(0, end)))).toEqual([null, false]);
    for (let time = 0; time < 5_000; time++) {
      const bytes = Buffer.from(text);
      for (let change = 0; change <= random(3); change++) bytes[random(bytes.length)] = random(256);
      const [head] = readBoth(bytes.subarray(random(4) === 0 ? random(bytes.length) : 0));
      if (head) expect(head).toMatchObject({ length: text.length - 2, bodyLength: 2 });
    }
  }
});
