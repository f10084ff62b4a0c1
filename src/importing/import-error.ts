import type { ErrorCode } from '../errors.ts';

/** Failures that may pass by themselves; another try is worth it. */
const temporaryCodes: ReadonlySet<ErrorCode> = new Set(['SOURCE_UNREACHABLE', 'STORAGE_FAILED']);

/**
 * Why a source did not become an image. `message` is shown to clients, so it never holds a resolved
 * address, a path or anything that a source sent. `cause` may hold them and is for logs only.
 */
export class ImportError extends Error {
  override name = 'ImportError';
  readonly code: ErrorCode;
  /** True: another try would fail the same way. Unless told, the code decides. */
  readonly permanent: boolean;

  constructor(code: ErrorCode, message: string, options: { permanent?: boolean; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.permanent = options.permanent ?? !temporaryCodes.has(code);
  }
}

/**
 * One code and one text for every failed connection. A refused, a filtered and a silent port must look
 * alike, or the text of the failure scans ports for whoever may name a URL.
 */
export function unreachable(cause: unknown): ImportError {
  return new ImportError('SOURCE_UNREACHABLE', 'source cannot be reached, or broke off before the end', {
    cause,
  });
}
