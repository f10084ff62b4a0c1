import { AsyncLocalStorage } from 'node:async_hooks';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger };

/** JSON lines on standard output. `level` is one of pino's, or 'silent'. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => {
      const requestId = requestIds.getStore();
      return requestId === undefined ? {} : { requestId };
    },
    serializers: { err: describeError },
    hooks: { streamWrite: hideSecrets },
  };
  return destination ? pino(options, destination) : pino(options);
}

const requestIds = new AsyncLocalStorage<string>();

/** What is logged in `run`, and in all that comes of it, bears the id. */
export function inRequest<Result>(id: string, run: () => Result): Result {
  return requestIds.run(id, run);
}

/** For what a request happens to begin, and others use too. */
export function outsideRequests<Result>(run: () => Result): Result {
  return requestIds.exit(run);
}

/** Of the request that is being answered, if one is. */
export const findRequestId = (): string | undefined => requestIds.getStore();

/** What really happened. Drizzle's own error repeats the statement and its parameters, which no log may hold. */
export function innermostCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause === undefined ? error : innermostCause(error.cause);
}

/**
 * Errors carry more than they say: Postgres' the row that was refused, the driver's the statement, Node's the URL that
 * is none. Only what is known to hold no values is logged.
 */
function describeError(error: unknown): object {
  const cause = innermostCause(error);
  const { code, severity, constraint_name, table_name } = cause as Error & Record<string, unknown>;
  const message = severity === undefined ? messageOf(cause) : hideValues(cause.message, String(code));
  return {
    type: cause.name,
    message,
    code,
    constraint: constraint_name,
    table: table_name,
    stack: [`${cause.name}: ${message}`, ...framesOf(cause)].join('\n'),
  };
}

/** A name with several addresses, none of which answers, fails with an error for each and no word of its own. */
function messageOf(error: Error): string {
  if (error.message || !(error instanceof AggregateError)) return error.message;
  return error.errors.map(each => (each instanceof Error ? each.message : String(each))).join('; ');
}

/** Class 22 of Postgres' errors, "data exception", quotes the value that it takes exception to. */
function hideValues(message: string, code: string): string {
  return code.startsWith('22') ? message.replace(/".*"/gs, '"…"') : message;
}

function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter(line => /^\s+at /.test(line));
}

/** At any depth; pino's own `redact` knows the first levels only, and costs each line more than the rest of it. */
const secretFields =
  /"(authorization|proxy-authorization|cookie|set-cookie|x-api-key|apiKey|password|secret|databaseUrl)":"(?:[^"\\]|\\.)*"/gi;

const secretsInTexts: readonly [RegExp, string][] = [
  // User info of a URL, whatever signs it is spelt with; the modules of a stack are files.
  [/(?<!file):\/\/[^\s"\\]*@/g, '://…@'],
  // Signed source URLs hold their secrets there.
  [/(:\/\/[^\s"\\?#]*)[?#][^\s"\\]*/g, '$1?…'],
  // The signature of an image address is all that it takes to see the image.
  [/\/images\/[^\s"\\/]*\//g, '/images/…/'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 …'],
  // Of an API key the id may be seen.
  [/(packshot_[0-9a-z]{12}_)[\w-]{43}/g, '$1…'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…'],
];

/** The last net: messages of libraries hold what nobody expects. */
function hideSecrets(line: string): string {
  const withoutFields = line.replace(secretFields, '"$1":"…"');
  return secretsInTexts.reduce((text, [pattern, shown]) => text.replace(pattern, shown), withoutFields);
}
