import { open, rm, stat } from 'node:fs/promises';
import type { Refusal } from './plan-batch.ts';

/** A file of refused lines, one JSON object each: the line's number, what is wrong with it, and its text. */
export interface RefusalReport {
  /**
   * Writes lines behind the first `byteSize` bytes, in place of what a batch that came to nothing left there.
   * Resolves with the report's size once they are safe on disk.
   */
  append(refused: readonly Refusal[], byteSize: number): Promise<number>;
}

/**
 * Begins an empty report, or goes on with one. There is no file until a line is refused.
 * Throws where the report to go on with is not there, or is shorter than it was left: what it said would be missing.
 */
export async function openRefusalReport(path: string, byteSize: number): Promise<RefusalReport> {
  if (byteSize === 0) await rm(path, { force: true });
  else await checkPresent(path, byteSize);
  return {
    async append(refused, size) {
      if (refused.length === 0) return size;
      const text = Buffer.from(refused.map(formatRefusal).join(''));
      const file = await open(path, size === 0 ? 'w' : 'r+');
      try {
        await file.truncate(size);
        await file.write(text, 0, text.length, size);
        await file.sync();
      } finally {
        await file.close();
      }
      return size + text.length;
    },
  };
}

async function checkPresent(path: string, byteSize: number): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found && found.size >= byteSize) return;
  throw new Error(
    `The import goes on where it stopped, but the report of the lines refused until then, ${path}, is not there any more; put it back, or begin anew with --restart`,
  );
}

function formatRefusal({ line, problems, raw }: Refusal): string {
  const reasons = problems.map(({ code, path, message }) => ({ code, field: path.join('.'), message }));
  return `${JSON.stringify({ line, problems: reasons, raw })}\n`;
}
