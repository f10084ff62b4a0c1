import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders of files that are short and take long, as what they do is done in other processes, or hundreds of times over. */
const long = /\/test\/(model|process|plans)\//;

/** As vitest orders files, by what they took the last time, or by size; but on a new machine, too, nothing long begins last. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    const rankOf = ({ moduleId }: TestSpecification) => (long.test(moduleId) ? 0 : 1);
    return sorted.toSorted((one, other) => groupOf(one) - groupOf(other) || rankOf(one) - rankOf(other));
  }
}
