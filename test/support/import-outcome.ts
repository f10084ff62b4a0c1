import { ImportError } from '../../src/importing/import-error.ts';
import { measureImage } from '../../src/importing/measure-image.ts';

/** 'imported' or the code of the refusal. Anything that is no refusal is thrown on. */
export async function findOutcome(bytes: Buffer): Promise<string> {
  try {
    await measureImage(bytes);
    return 'imported';
  } catch (error) {
    if (error instanceof ImportError) return error.code;
    throw error;
  }
}
