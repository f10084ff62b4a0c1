/** The database cannot answer now, and may in a moment; nothing is wrong with what was asked. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

const driverCodes = /^(CONNECTION_(CLOSED|DESTROYED|ENDED)|CONNECT_TIMEOUT)$/;
const systemCodes =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOENT|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/;

// https://www.postgresql.org/docs/current/errcodes-appendix.html: connections, shutdowns and starts; no room for
// more; read-only, as a replica before it takes over; statements that were cut short; contention that lasts.
const stateCodes = /^(08...|57P0[1-5]|57014|53...|25006|25P0[34]|55P03|40001|40P01)$/;

/** Whether a connection that told this error is of no more use. */
export function breaksConnection(error: unknown): boolean {
  const code = codeOf(error);
  return driverCodes.test(code) || systemCodes.test(code) || /^(08...|57P0[1-5]|25P0[34])$/.test(code);
}

/** Whether the same request may well succeed a moment later. Looks through the causes of an error. */
export function isUnavailability(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DatabaseUnavailable) return true;
    const code = codeOf(cause);
    if (stateCodes.test(code) || driverCodes.test(code)) return true;
    if (systemCodes.test(code) && isOfDatabase(cause)) return true;
  }
  return false;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Other connections fail with the same codes of the system; the driver notes the query that failed with it. */
function isOfDatabase(error: Error): boolean {
  return 'query' in error;
}
