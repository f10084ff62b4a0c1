import { createHash } from 'node:crypto';
import type { Connection, Database, Transaction } from '../data/database.ts';
import { leastColumns, widenColumnSet } from '../data/image-columns.ts';
import { clearThumbnail, type ImageValues } from '../data/image-writes.ts';
import { findImageByIdempotencyKey, type ImageRow } from '../data/images.ts';
import { changeSet } from '../data/set-changes.ts';
import { lockOrCreateSet, readSet } from '../data/set-reads.ts';
import type { ImageType, ProductRow } from '../data/tables.ts';
import { groupOfType, membersOf, placeAt } from './arrangement.ts';
import { Concluding, changeSetOf } from './change.ts';
import { checkDetails, checkPosition, type DetailsInput } from './details.ts';
import { newImage, withSource } from './image-values.ts';
import { checkRoom, type GalleryLimits } from './limits.ts';
import { Problems } from './problems.ts';
import { checkSource, type SourceInput } from './source.ts';
import { holdStored } from './stored-files.ts';
import { checkText } from './texts.ts';

export interface CreateInput extends DetailsInput {
  productId: string;
  source: SourceInput;
  type?: ImageType | null | undefined;
  position?: number | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/**
 * Adds an image at its position; those from there on move down. A call that repeats a key with the same input
 * answers the image that the first one added, as it is now, even deleted.
 */
export async function createProductImage(
  db: Database,
  input: CreateInput,
  limits: GalleryLimits,
): Promise<ImageRow> {
  const values = checkInput(input, limits);
  const stored = input.source.stored ? [input.source.stored] : [];
  const add = (connection: Connection, set: ImageSet) =>
    addImage(connection, set, values, input.position ?? null, limits);
  const tryWithoutLock = async () => {
    if (values.idempotencyKey !== null || values.isThumbnail || stored.length > 0) return null;
    const { product, isKnown, rows } = await readSet(db, input.productId, placeColumns);
    return add(db, { product, isNew: !isKnown, rows });
  };
  return changeSetOf<ImageRow>(db, input.productId, tryWithoutLock, async transaction => {
    const { product, rows } = await lockOrCreateSet(transaction, input.productId, placeColumns);
    const repeated = await findRepeated(transaction, values);
    if (repeated) return repeated;
    await holdStored(transaction, stored);
    if (values.isThumbnail) await clearThumbnail(transaction, product.id, null);
    return add(transaction, { product, isNew: false, rows });
  });
}

const placeColumns = widenColumnSet(leastColumns, ['imageGroup', 'orderKey']);

/** What GraphQL fills in where nothing is said, so that hashes have it. */
const defaults = { type: 'MORE_PHOTO', isThumbnail: false } as const;

function checkInput(input: CreateInput, limits: GalleryLimits): ImageValues {
  const problems = new Problems();
  const path = ['input'];
  problems.checkId(input.productId, [...path, 'productId']);
  const source = checkSource(input.source, path, limits, problems);
  checkPosition(input.position, path, problems);
  const details = checkDetails(input, path, limits, problems);
  const idempotencyKey = input.idempotencyKey ?? null;
  if (idempotencyKey === '') {
    problems.add('INVALID', [...path, 'idempotencyKey'], 'idempotencyKey is ""; leave it out or give a text');
  }
  checkText(idempotencyKey, [...path, 'idempotencyKey'], limits.maxNameLength, problems);
  problems.throwIfAny();
  return {
    ...(source ? withSource(newImage(), source) : newImage()),
    ...details,
    type: input.type ?? defaults.type,
    idempotencyKey,
    idempotencyHash: idempotencyKey && hashInput(input),
  };
}

/** Equal for inputs that say the same, in whatever order: null is as good as nothing, and blanks around a URL go. */
function hashInput({ source, ...input }: CreateInput): string {
  const given = Object.entries(input).filter(([_key, value]) => value != null);
  const said = {
    ...defaults,
    ...Object.fromEntries(given),
    source: source.url == null ? source : { ...source, url: source.url.trim() },
  };
  const sortKeys = (_key: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(said, sortKeys)).digest('hex');
}

async function findRepeated(transaction: Transaction, values: ImageValues): Promise<ImageRow | null> {
  if (values.idempotencyKey === null) return null;
  const earlier = await findImageByIdempotencyKey(transaction, values.idempotencyKey);
  if (!earlier || earlier.idempotencyHash === values.idempotencyHash) return earlier;
  const message = `idempotencyKey ${JSON.stringify(values.idempotencyKey)} came before with another input; take a new one`;
  return new Problems().fail('IDEMPOTENCY_KEY_REUSED', ['input', 'idempotencyKey'], message);
}

/** `isNew`: its product is not there yet. */
interface ImageSet {
  product: ProductRow;
  isNew: boolean;
  rows: readonly ImageRow[];
}

function addImage(
  db: Connection,
  { product, isNew, rows }: ImageSet,
  values: ImageValues,
  position: number | null,
  limits: GalleryLimits,
): Concluding<ImageRow> {
  const group = groupOfType[values.type];
  const members = membersOf(rows, group);
  const problems = new Problems();
  checkRoom(group, members.length + 1, ['input', 'productId'], limits, problems);
  problems.throwIfAny();
  const { place, others } = placeAt(members, position);
  const placed = others.map(({ id, orderKey }, at) => ({
    id,
    orderKey,
    position: at < place.position ? at : at + 1,
  }));
  const writing = changeSet(db, {
    product,
    isNew,
    placed: placed.filter((_, at) => at >= place.position || others[at] !== members[at]),
    added: [{ ...values, ...place }],
  });
  return new Concluding(writing.then(changed => onlyOne(changed.rows, product)));
}

function onlyOne([added]: readonly ImageRow[], { id }: ProductRow): ImageRow {
  if (!added) throw new Error(`The image that was just added to product ${id} is not there`);
  return added;
}
