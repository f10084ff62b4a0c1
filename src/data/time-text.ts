// Reading and writing a time as JavaScript does it costs more than all else of a row.

const dayMs = 86_400_000;

let lastDay = Number.NaN;
let lastDayText = '';

/** As `toISOString`, for whatever time; a RangeError for none. */
export function formatTime(time: Date): string {
  const ms = time.getTime();
  const day = Math.floor(ms / dayMs);
  if (day !== lastDay) {
    lastDayText = new Date(day * dayMs).toISOString().slice(0, -13);
    lastDay = day;
  }
  const inDay = ms - day * dayMs;
  const seconds = Math.floor(inDay / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hour = Math.floor(minutes / 60);
  return `${lastDayText}${twoDigits[hour]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}.${threeDigits[inDay % 1_000]}Z`;
}

const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const threeDigits = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));

/**
 * Of what Postgres writes for a `timestamptz` while the time zone is UTC, as `2024-10-17 07:48:05.12+00`; null for what
 * looks otherwise, as do years of fewer or more digits. What is less than a millisecond is cut off, as `Date` does it.
 */
export function parseUtcTime(text: string): Date | null {
  const end = text.length - 3;
  const isPlain = text[0] !== '0' && text[4] === '-' && text[10] === ' ' && text.endsWith('+00');
  if (!isPlain) return null;
  const year = readTwo(text, 0) * 100 + readTwo(text, 2);
  // Whole numbers: 0.29 * 1000 is less than 290.
  const ms = end > 20 ? Number(text.slice(20, Math.min(end, 23)).padEnd(3, '0')) : 0;
  return new Date(
    Date.UTC(
      year,
      readTwo(text, 5) - 1,
      readTwo(text, 8),
      readTwo(text, 11),
      readTwo(text, 14),
      readTwo(text, 17),
      ms,
    ),
  );
}

const zero = '0'.charCodeAt(0);

function readTwo(text: string, at: number): number {
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;
}
