import type { ImageRow } from '../../src/data/images.ts';
import { UserErrors } from '../../src/errors.ts';
import { createProductImage } from '../../src/gallery/create.ts';
import type { GalleryLimits } from '../../src/gallery/limits.ts';
import { deleteAllProductImages, deleteProductImage, deleteProductImages } from '../../src/gallery/remove.ts';
import { reorderProductImages } from '../../src/gallery/reorder.ts';
import { replaceProductImages } from '../../src/gallery/replace.ts';
import { restoreProductImages } from '../../src/gallery/restore.ts';
import { retryProductImages } from '../../src/gallery/retry.ts';
import { updateProductImage } from '../../src/gallery/update.ts';
import { updateProduct } from '../../src/gallery/update-product.ts';
import type { TestService } from '../support/service.ts';
import {
  type Answer,
  type Call,
  failWith,
  type ImageView,
  nothing,
  sortById,
  withDefaults,
} from './calls.ts';
import type { Client } from './client.ts';
import { happen } from './happenings.ts';
import { expectProducts, readMoment } from './rows.ts';
import type { Limits } from './vocabulary.ts';

/** Calls the functions behind the mutations, and reads rows: what HTTP and GraphQL add is left out. */
export function createDirectClient(service: TestService, limits: Limits): Client {
  const galleryLimits = formatLimits(limits);
  return {
    run: async call => {
      try {
        return await callFunction(service, call, galleryLimits);
      } catch (error) {
        if (!(error instanceof UserErrors)) throw error;
        return failWith(error.errors.map(({ code, path }) => `${code} ${path.join('.')}`));
      }
    },
    read: ids => readMoment(service.db, ids),
    expect: expectProducts,
  };
}

function formatLimits(limits: Limits): GalleryLimits {
  return {
    maxImages: { GALLERY: limits.GALLERY, SPIN_360: limits.SPIN_360, SWATCH: limits.SWATCH },
    maxIdsInMutation: limits.ids,
    maxTextLength: limits.text,
    maxDescriptionLength: limits.description,
    maxUrlLength: limits.url,
    maxNameLength: limits.name,
    retentionDays: 30,
  };
}

async function callFunction(service: TestService, call: Call, limits: GalleryLimits): Promise<Answer> {
  const { db } = service;
  switch (call.name) {
    case 'createProductImage':
      return {
        ...nothing,
        images: [viewRow(await createProductImage(db, withDefaults(call.input), limits))],
      };
    case 'updateProductImage':
      return { ...nothing, images: [viewRow(await updateProductImage(db, call.id, call.input, limits))] };
    case 'reorderProductImages':
      return { ...nothing, images: (await reorderProductImages(db, call, limits)).map(viewRow) };
    case 'replaceProductImages': {
      const { images, added, kept, removed } = await replaceProductImages(db, call.input, limits);
      return {
        ...nothing,
        images: images.map(viewRow),
        added: added.map(viewRow),
        kept: sortById(kept.map(viewRow)),
        removed: sortById(removed.map(viewRow)),
      };
    }
    case 'deleteProductImage':
      return tellDeleted(await deleteProductImage(db, call, limits));
    case 'deleteProductImages':
      return tellDeleted(await deleteProductImages(db, call, limits));
    case 'deleteAllProductImages':
      return tellDeleted(await deleteAllProductImages(db, call, limits));
    case 'restoreProductImages':
      return { ...nothing, images: (await restoreProductImages(db, call.ids, limits)).map(viewRow) };
    case 'retryProductImages':
      return { ...nothing, images: (await retryProductImages(db, call.ids, limits)).map(viewRow) };
    case 'updateProduct':
      await updateProduct(db, call.id, call.input, limits);
      return nothing;
    default:
      return happen(service, call);
  }
}

function tellDeleted(rows: readonly ImageRow[]): Answer {
  return { ...nothing, deleted: sortById(rows.map(viewRow)) };
}

function viewRow(row: ImageRow): ImageView {
  const { id, productId, name, type, state, sourceUrl, altText, altTexts, description, position } = row;
  const isDeleted = row.deletedAt !== null;
  const { focalX: x, focalY: y } = row;
  return {
    ...{
      id,
      productId,
      name,
      type,
      state,
      sourceUrl,
      altText,
      altTexts: altTexts ?? {},
      description,
      position,
    },
    focalPoint: x === null || y === null ? null : { x, y },
    isThumbnail: row.isThumbnail && !isDeleted,
    isPrimary: row.imageGroup === 'GALLERY' && position === 0 && !isDeleted,
    isDeleted,
    contentHash: row.fileHash,
  };
}
