import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { TestService } from './service.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** As many as fit into a row of `images_of_kind_in_order`; Postgres compresses only what repeats itself. */
const most = 2_664;
const noise = createHash('shake256', { outputLength: most - 'a0V'.length }).digest();
const stem = `a0${Array.from(noise, byte => digits[byte % digits.length]).join('')}`;

/** Two neighbours, the longest keys that the indexes take: whatever goes between them is longer. */
export const longKeys = [`${stem}V`, `${stem}W`] as const;

/** Puts keys into the database; one that is taken there must not be given. */
export async function setOrderKeys(
  service: TestService,
  keys: readonly (readonly [id: string | undefined, key: string])[],
): Promise<void> {
  for (const [id, key] of keys) {
    await service.db.execute(`update images set order_key = '${key}' where id = ${id}`);
  }
}

/** Expects the order keys of a product's live images to be short, and answers them in order. */
export async function expectShortKeys(service: TestService, productId: string): Promise<string[]> {
  const rows = await service.db.execute<{ order_key: string }>(
    `select order_key from images where product_id = ${productId} and deleted_at is null
     order by image_group, order_key`,
  );
  const keys = rows.map(row => row.order_key);
  expect(keys.filter(key => key.length > 64)).toEqual([]);
  return keys;
}
