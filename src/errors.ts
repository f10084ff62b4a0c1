/** Every code that a user error can bear, as the API promises them. */
export const errorCodes = [
  'PRODUCT_NOT_FOUND',
  'IMAGE_NOT_FOUND',
  'IMAGE_NOT_ON_PRODUCT',
  'REQUIRED',
  'INVALID',
  'DUPLICATE_INPUT',
  'VERSION_CONFLICT',
  'IDEMPOTENCY_KEY_REUSED',
  'IMAGE_LIMIT_EXCEEDED',
  'BATCH_LIMIT_EXCEEDED',
  'NOT_RESTORABLE',
  'URL_FORBIDDEN',
  'SOURCE_NOT_FOUND',
  'SOURCE_UNREACHABLE',
  'UNSUPPORTED_TYPE',
  'FILE_TOO_LARGE',
  'DIMENSIONS_TOO_LARGE',
  'CORRUPT_IMAGE',
  'TEXT_TOO_LONG',
  'NAME_INVALID',
  'STORAGE_FAILED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Something that the caller can mend. `path` leads into the arguments, list indexes as decimal strings. */
export interface UserError {
  code: ErrorCode;
  path: string[];
  message: string;
}

/** All problems of one call together; thrown inside a transaction it also undoes it. */
export class UserErrors extends Error {
  override name = 'UserErrors';
  readonly errors: readonly UserError[];

  constructor(errors: readonly UserError[]) {
    super(errors.map(error => error.message).join('; '));
    this.errors = errors;
  }
}

/** A mistake of the calling program; reaches it in `errors[]` as BAD_USER_INPUT. */
export class BadInput extends Error {
  override name = 'BadInput';
}

/** For errors: short, and without going into what is nested: a hostile client's values are deeper than the stack. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value);
}
