import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard output. `level` is one of pino's, or 'silent'. */
export function createLog(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
