import { idRule, isId } from '../data/ids.ts';
import { describeValue, type ErrorCode, type UserError, UserErrors } from '../errors.ts';

export type Path = readonly (string | number)[];

/** What is wrong with one call, gathered so that all of it is told together. */
export class Problems {
  readonly #errors: UserError[] = [];

  add(code: ErrorCode, path: Path, message: string): void {
    this.#errors.push({ code, path: path.map(String), message });
  }

  /** A copy to add to: a transaction that is tried again starts from what was known before it. */
  fork(): Problems {
    const copy = new Problems();
    copy.#errors.push(...this.#errors);
    return copy;
  }

  /** For what leaves nothing else to look at. */
  fail(code: ErrorCode, path: Path, message: string): never {
    this.add(code, path, message);
    throw new UserErrors(this.#errors);
  }

  throwIfAny(): void {
    if (this.#errors.length > 0) throw new UserErrors(this.#errors);
  }

  /** True for an id; else it is a problem. */
  checkId(id: string, path: Path): boolean {
    if (isId(id)) return true;
    const name = path.reduce((outer, step) => (typeof step === 'number' ? `${outer}[${step}]` : step), '');
    this.add('INVALID', path, `${name} is ${describeValue(id)}; it must be ${idRule}`);
    return false;
  }
}
