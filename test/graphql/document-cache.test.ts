import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openTestService } from '../support/service.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('hundreds of large documents leave little behind', { timeout: 60_000 }, async () => {
  const service = await openTestService();
  const fields = ' id kind imageCount imagesVersion marketingColor'.repeat(250);
  const sendMany = async (count: number, name: string) => {
    for (let n = 0; n < count; n++) {
      const { errors } = await service.send(`query ${name}${n} { product(id: 1) {${fields}} }`);
      expect(errors).toBeUndefined();
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await sendMany(20, 'First');
  // 0.7 MB of memory each.
  const grown = (await sendMany(300, 'Next')) - before;
  await service.close();
  expect(grown).toBeLessThan(60_000_000);
});
