import { describe, expect, test } from 'vitest';
import { inRequest, outsideRequests } from '../src/log.ts';
import { keepLog } from './support/log-lines.ts';

describe('a line of the log', () => {
  test('bears the id of the request that it was written for', async () => {
    const { log, lines } = keepLog();
    await Promise.all(
      ['one', 'two'].map(id =>
        inRequest(id, async () => {
          await new Promise(resolve => setTimeout(resolve, 5));
          log.info({ of: id }, 'later');
        }),
      ),
    );
    log.info('outside');
    expect(lines().map(({ of, requestId }) => [of, requestId])).toEqual([
      ['one', 'one'],
      ['two', 'two'],
      [undefined, undefined],
    ]);
  });

  test('bears none for what a request began and others use too', () => {
    const { log, lines } = keepLog();
    inRequest('one', () => outsideRequests(() => log.info('apart')));
    expect(lines()[0]).not.toHaveProperty('requestId');
  });

  test.each([
    ['authorization', { authorization: 'Bearer s3cret' }],
    ['cookies', { headers: { cookie: 'session=s3cret', 'set-cookie': 's3cret' } }],
    ['an API key', { request: { headers: { 'x-api-key': 's3cret' } } }],
    ['a password', { options: [{ password: 's3"cret' }] }],
    ['a database with its password', { databaseUrl: 'postgres://packshot:s3cret@db/packshot' }],
    ['a password in a URL', { to: 'postgres://packshot:s3cret@db:5432/packshot' }],
    ['a password that is no URL', { to: 'postgres://packshot:s3c/s3cret@db:5432/packshot' }],
    ['a signed source', { source: 'https://cdn.example/a.jpg?X-Amz-Signature=s3cret&b=c' }],
    ['a fragment', { source: 'https://cdn.example/a.jpg#s3cret' }],
    ['the signature of an image', { path: `/images/k1.s3cret7890123456789012/${'a'.repeat(64)}.jpg` }],
    ['a token in a text', { say: 'refused Bearer s3cret.s3cret.s3cret' }],
    ['a token by itself', { say: 'refused eyJhbGciOiJub25lIn0.s3cret.s3cret' }],
  ])('leaves out %s', (_what, fields) => {
    const { log, text, lines } = keepLog();
    log.info(fields, 'something');
    expect(text()).not.toContain('s3cret');
    expect(text()).toContain('…');
    expect(lines()).toMatchObject([{ msg: 'something' }]);
  });

  test('keeps what is no secret of a URL and of a stack', () => {
    const { log, text } = keepLog();
    log.info({ source: 'https://cdn.example/a.jpg?size=9', at: 'file:///app/node_modules/@scope/a.js:1:2' });
    expect(text()).toContain('https://cdn.example/a.jpg?…');
    expect(text()).toContain('file:///app/node_modules/@scope/a.js:1:2');
  });
});

describe('an error in the log', () => {
  const shown = (error: unknown) => {
    const { log, lines } = keepLog();
    log.error({ err: error }, 'failed');
    return lines()[0]?.err as Record<string, string>;
  };

  test('is told with its kind, words, code and place', () => {
    const error = Object.assign(new TypeError('no such thing'), { code: 'E_NONE' });
    expect(shown(error)).toMatchObject({
      type: 'TypeError',
      message: 'no such thing',
      code: 'E_NONE',
      stack: expect.stringMatching(/^TypeError: no such thing\n +at .*log\.test\.ts/),
    });
  });

  test('is the one that caused it', () => {
    const cause = new Error('connection refused');
    const error = new Error('Failed query: select 1 params: s3cret', { cause });
    expect(shown(error).message).toBe('connection refused');
    expect(JSON.stringify(shown(error))).not.toContain('s3cret');
  });

  test('leaves out what else it carries', () => {
    const carried = {
      detail: 'Key (name)=(s3cret)',
      query: 's3cret',
      parameters: ['s3cret'],
      input: 's3cret',
    };
    const error = Object.assign(new Error('duplicate key'), carried);
    expect(JSON.stringify(shown(error))).not.toContain('s3cret');
  });

  test('of Postgres names the constraint, not the value', () => {
    const duplicate = { severity: 'ERROR', code: '23505', constraint_name: 'a_key', detail: '(s3cret)' };
    expect(shown(Object.assign(new Error('duplicate key "a_key"'), duplicate))).toMatchObject({
      message: 'duplicate key "a_key"',
      constraint: 'a_key',
    });
    const invalid = new Error('invalid input syntax for type bigint: "s3\n"cret"');
    expect(shown(Object.assign(invalid, { severity: 'ERROR', code: '22P02' }))).toMatchObject({
      message: 'invalid input syntax for type bigint: "…"',
      stack: expect.not.stringContaining('s3'),
    });
  });

  test('with several reasons and no words of its own tells the reasons', () => {
    const error = new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]);
    expect(shown(error).message).toBe('refused by ::1; refused by 127.0.0.1');
  });
});
