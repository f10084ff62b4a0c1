/** A request that has it, whatever it says but nothing, is told in `extensions.time` how long it took. */
export const timeHeader = 'x-packshot-time';

/** As Bitrix24's REST answers have it: seconds since 1970, and seconds. */
export interface TimeExtension {
  start: number;
  finish: number;
  /** From the head of the request to the result. */
  duration: number;
  /** Without the reading and the checking of the document. */
  processing: number;
  date_start: string;
  date_finish: string;
}

/** What is given counts as `performance.now()` does. */
export function describeTime(startedAt: number, executedAt: number, finishedAt: number): TimeExtension {
  const startMs = performance.timeOrigin + startedAt;
  const finishMs = performance.timeOrigin + finishedAt;
  return {
    start: startMs / 1_000,
    finish: finishMs / 1_000,
    duration: (finishedAt - startedAt) / 1_000,
    processing: (finishedAt - executedAt) / 1_000,
    date_start: new Date(startMs).toISOString(),
    date_finish: new Date(finishMs).toISOString(),
  };
}
