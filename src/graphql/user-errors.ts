import { createLoaders } from '../data/loaders.ts';
import { type ErrorCode, errorCodes, type UserError, UserErrors } from '../errors.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

const meanings: Record<ErrorCode, string> = {
  PRODUCT_NOT_FOUND: 'This service has never seen such a product.',
  IMAGE_NOT_FOUND: 'There is no such image, or it is deleted.',
  IMAGE_NOT_ON_PRODUCT: 'The image is there, but on another product.',
  REQUIRED: 'Something that cannot be done without is missing.',
  INVALID: 'A value is not of the form that it must have.',
  DUPLICATE_INPUT: 'The same thing is given twice.',
  VERSION_CONFLICT: 'The images have changed since the version named by `expectedVersion`.',
  IDEMPOTENCY_KEY_REUSED: 'The key came before with another input.',
  IMAGE_LIMIT_EXCEEDED: 'The product would have more images than it may.',
  BATCH_LIMIT_EXCEEDED: 'The call names more images than one call may.',
  NOT_RESTORABLE: 'The image is not deleted, or its time to be restored is over.',
  URL_FORBIDDEN: 'This service does not fetch from such an address.',
  SOURCE_NOT_FOUND: 'Nothing is there at the source.',
  SOURCE_UNREACHABLE: 'The source did not answer as it should.',
  UNSUPPORTED_TYPE: 'The bytes are no JPEG, PNG, WebP or GIF.',
  FILE_TOO_LARGE: 'The file has more bytes than allowed.',
  DIMENSIONS_TOO_LARGE: 'The picture has more pixels than allowed.',
  CORRUPT_IMAGE: 'The bytes begin as an image and do not hold one.',
  TEXT_TOO_LONG: 'A text has more characters than allowed.',
  NAME_INVALID: 'A file name is not one.',
  STORAGE_FAILED: 'The bytes could not be stored.',
};

export const ProductImageErrorCode = builder.enumType('ProductImageErrorCode', {
  description: 'What is wrong, for programs.',
  values: Object.fromEntries(errorCodes.map(code => [code, { description: meanings[code] }])) as Record<
    ErrorCode,
    { description: string }
  >,
});

export const ProductImageUserError = builder.objectRef<UserError>('ProductImageUserError').implement({
  description: 'Something about a call that its sender can mend.',
  fields: t => ({
    code: t.expose('code', { type: ProductImageErrorCode, description: 'What is wrong, for programs.' }),
    path: t.exposeStringList('path', {
      description: 'Path into the arguments, e.g. ["input", "images", "2", "source", "url"].',
    }),
    message: t.exposeString('message', {
      description: 'What is wrong, with the value, and what would be right.',
    }),
  }),
});

export interface WithUserErrors {
  userErrors: readonly UserError[];
}

/** The result of a change, or `failed` with what its sender can mend. */
export async function answerChange<Result extends object, Failed extends object>(
  context: Context,
  failed: Failed,
  run: () => Promise<Result>,
): Promise<(Result | Failed) & WithUserErrors> {
  try {
    const result = await run();
    context.wakeImporting();
    return { ...result, userErrors: [] };
  } catch (error) {
    if (error instanceof UserErrors) return { ...failed, userErrors: error.errors };
    throw error;
  } finally {
    context.loaders = createLoaders(context.db, context.visibility);
  }
}
