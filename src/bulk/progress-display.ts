import type { BulkProgress } from '../data/bulk-progress.ts';

/** As much of a stream as telling takes. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressDisplay extends Disposable {
  show(progress: Shown): void;
  /** Tells something beside the progress. */
  say(text: string): void;
}

type Shown = Pick<BulkProgress, 'byteOffset' | 'line' | 'refused'>;

const redrawMs = 200;
const lineMs = 5_000;
const barWidth = 24;

/** A bar that is drawn in place on a terminal, a line every few seconds elsewhere. */
export function openProgressDisplay(
  terminal: Terminal,
  byteSize: number,
  start: Shown,
  now: () => number = () => performance.now(),
): ProgressDisplay {
  const startedAt = now();
  let shownAt = terminal.isTTY ? -Infinity : startedAt;
  let bar = '';
  const draw = (text: string) => {
    bar = text;
    terminal.write(`\r\x1b[K${text}`);
  };
  return {
    show(progress) {
      const isThrough = progress.byteOffset >= byteSize;
      if (!isThrough && now() - shownAt < (terminal.isTTY ? redrawMs : lineMs)) return;
      shownAt = now();
      const text = formatProgress(progress, start, byteSize, (shownAt - startedAt) / 1_000);
      if (!terminal.isTTY) terminal.write(`${text}\n`);
      else
        draw(`${formatBar(progress.byteOffset / byteSize)} ${text}`.slice(0, (terminal.columns ?? 80) - 1));
    },
    say(text) {
      if (bar === '') terminal.write(`${text}\n`);
      else {
        terminal.write(`\r\x1b[K${text}\n`);
        draw(bar);
      }
    },
    [Symbol.dispose]() {
      if (bar !== '') terminal.write('\n');
    },
  };
}

function formatBar(part: number): string {
  const filled = Math.min(Math.round(part * barWidth), barWidth);
  return `[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}]`;
}

function formatProgress(progress: Shown, start: Shown, byteSize: number, seconds: number): string {
  const { byteOffset, line, refused } = progress;
  const lineRate = (line - start.line) / Math.max(seconds, 0.001);
  const byteRate = (byteOffset - start.byteOffset) / Math.max(seconds, 0.001);
  const parts = [
    `${Math.floor((100 * byteOffset) / byteSize)} %`,
    `${(line - 1).toLocaleString('en')} lines`,
    `${Math.round(lineRate).toLocaleString('en')}/s`,
    `${formatDuration((byteSize - byteOffset) / byteRate)} left`,
  ];
  if (refused > 0) parts.push(`${refused.toLocaleString('en')} refused`);
  return parts.join(' · ');
}

function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3_600);
  const minutes = String(Math.floor((whole % 3_600) / 60)).padStart(hours > 0 ? 2 : 1, '0');
  return `${hours > 0 ? `${hours}:` : ''}${minutes}:${String(whole % 60).padStart(2, '0')}`;
}
