import { createLog, type Logger } from '../../src/log.ts';

export interface LogLines {
  log: Logger;
  /** As they would be on standard output. */
  text(): string;
  lines(): (Record<string, unknown> & { msg: string })[];
}

/** The service's own log, kept in memory. */
export function keepLog(level = 'debug'): LogLines {
  const written: string[] = [];
  return {
    log: createLog(level, { write: line => written.push(line) }),
    text: () => written.join(''),
    lines: () => written.map(line => JSON.parse(line)),
  };
}
