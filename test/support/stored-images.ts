import sharp from 'sharp';
import { insertFiles } from '../../src/data/files.ts';
import { insertImages } from '../../src/data/image-writes.ts';
import { findPlacesOfProducts } from '../../src/data/images.ts';
import { lockOrCreateProducts } from '../../src/data/products.ts';
import { placeAt } from '../../src/gallery/arrangement.ts';
import { newImage } from '../../src/gallery/image-values.ts';
import { measureImage } from '../../src/importing/measure-image.ts';
import { describeFile } from '../../src/importing/store-original.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { TestService } from './service.ts';

/** A small picture of one colour; the same bytes for the same colour. */
export function drawPicture(color: string): Promise<Buffer> {
  const background = { width: 40, height: 30, channels: 3 as const, background: color };
  return sharp({ create: background }).png().toBuffer();
}

/** Gives a product an image whose bytes are stored; answers its id and where they rest. */
export async function storeImage(
  service: TestService,
  productId: string,
  bytes: Buffer,
): Promise<{ id: string; key: string; hash: string }> {
  const measured = await measureImage(bytes);
  const hash = measured.contentHash;
  const key = originalKey(hash, measured.extension);
  await service.storage.write(key, bytes);
  const [id] = await service.db.transaction(async transaction => {
    await insertFiles(transaction, [describeFile(measured)]);
    await lockOrCreateProducts(transaction, [productId]);
    const members = await findPlacesOfProducts(transaction, [productId]);
    const values = { ...newImage(), name: `${hash}.png`, state: 'UPLOADED' as const, fileHash: hash };
    return insertImages(transaction, productId, [{ ...values, ...placeAt(members, null).place }]);
  });
  return { id: id ?? '', key, hash };
}
