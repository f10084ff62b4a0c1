import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard output. `level` is one of pino's, or 'silent'. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: error => pino.stdSerializers.err(innermostCause(error)) },
  });
}

/** What really happened. Drizzle's own error repeats the statement and its parameters, which no log may hold. */
export function innermostCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause === undefined ? error : innermostCause(error.cause);
}
