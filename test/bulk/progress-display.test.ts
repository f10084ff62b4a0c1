import { expect, test } from 'vitest';
import { openProgressDisplay } from '../../src/bulk/progress-display.ts';

const at = (byteOffset: number, line: number, refused = 0) => ({ byteOffset, line, refused });

function open(isTTY: boolean, start = at(0, 1)) {
  const written: string[] = [];
  let seconds = 0;
  const terminal = { isTTY, columns: 200, write: (text: string) => written.push(text) };
  const display = openProgressDisplay(terminal, 1_000, start, () => seconds * 1_000);
  return {
    written,
    display,
    wait: (more: number) => {
      seconds += more;
    },
  };
}

test('a terminal has a bar with rate and time left, drawn in place a few times a second', () => {
  const { written, display, wait } = open(true);
  wait(1);
  display.show(at(250, 1_001));
  wait(0.1);
  display.show(at(300, 1_201));
  wait(0.9);
  display.show(at(500, 2_001, 3));
  display[Symbol.dispose]();
  expect(written).toEqual([
    '\r\x1b[K[======                  ] 25 % · 1,000 lines · 1,000/s · 0:03 left',
    '\r\x1b[K[============            ] 50 % · 2,000 lines · 1,000/s · 0:02 left · 3 refused',
    '\n',
  ]);
});

test('elsewhere there is a plain line every few seconds, and one at the end', () => {
  const { written, display, wait } = open(false);
  for (const line of [1, 2, 3, 4, 5, 6, 7, 8]) {
    wait(1);
    display.show(at(line * 100, line * 10 + 1));
  }
  display.show(at(1_000, 101));
  expect(written).toEqual(['50 % · 50 lines · 10/s · 0:05 left\n', '100 % · 100 lines · 13/s · 0:00 left\n']);
});

test('what an earlier run did counts for the part, and not for the rate', () => {
  const { written, display, wait } = open(true, at(500, 5_001));
  wait(10);
  display.show(at(600, 6_001));
  expect(written.join('')).toContain('60 % · 6,000 lines · 100/s · 0:40 left');
});
