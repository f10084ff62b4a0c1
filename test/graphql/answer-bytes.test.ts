import { expect, test } from 'vitest';
import { AnswerBytes, formatAnswer, Written } from '../../src/graphql/answer-bytes.ts';

const textOf = ({ bytes, length }: AnswerBytes) => bytes.toString('utf8', 0, length);

function write(text: string): AnswerBytes {
  const written = new AnswerBytes();
  written.putJson(text);
  return written;
}

test('memory of an answer is used again, and only once at a time', () => {
  const first = write('x'.repeat(9_000));
  const memory = first.bytes;
  first.release();
  const [second, third] = [write('second'), write('third')];
  expect(second.bytes).toBe(memory);
  expect(third.bytes).not.toBe(memory);
  expect([textOf(second), textOf(third)]).toEqual(['"second"', '"third"']);
});

test('what is written after memory was given back goes elsewhere', () => {
  const first = write('first');
  first.release();
  const second = write('second');
  first.putJson('too late');
  first.release();
  expect(textOf(second)).toBe('"second"');
});

test('an answer that is sent keeps its bytes', () => {
  const written = write('row');
  const answer = formatAnswer({ data: new Written(0, written.length) }, written);
  written.release();
  const others = Array.from({ length: 8 }, () => write('others'));
  expect(others.map(textOf)).toEqual(others.map(() => '"others"'));
  expect(answer.toString()).toBe('{"data":"row"}');
});

test('memory given back is bounded in size and number', () => {
  const large = write('x'.repeat(2_000_000));
  const memory = large.bytes;
  large.release();
  const many = Array.from({ length: 30 }, () => write('y'.repeat(5_000)));
  const own = new Set(many.map(({ bytes }) => bytes));
  expect(own.has(memory)).toBe(false);
  for (const written of many) written.release();
  const reused = Array.from({ length: 30 }, () => write('z')).filter(({ bytes }) => own.has(bytes));
  expect(reused).toHaveLength(4);
});
