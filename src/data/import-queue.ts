import { and, type Placeholder, sql } from 'drizzle-orm';
import type { ErrorCode } from '../errors.ts';
import { advisoryLocks } from './advisory-locks.ts';
import { type Connection, type Database, formatArray, type Transaction } from './database.ts';
import { statement } from './statement.ts';
import { images } from './tables.ts';

// The images themselves are the queue: one is due when `import_due_at` has come, a claim puts that off for as long
// as a worker may take, and a worker that dies leaves an image that is due again by itself.

/** What a worker needs to know of an image that it has claimed. */
export interface ImportTask {
  id: string;
  productId: string;
  sourceUrl: string | null;
  sourcePath: string | null;
  /** This try included. */
  attempts: number;
  /** The replacement that brought it removed others, of which one may turn out to have its bytes. */
  mayReplace: boolean;
  /** Fences what is written: another claim makes it void. */
  claim: string;
}

export interface ClaimOptions {
  limit: number;
  leaseMs: number;
  maxPerHost: number;
}

/**
 * Claims images that are due, oldest first, from as many hosts as there are: a million of one host do not hold up
 * the one of another. Costs one index probe for each host that something is due from. Images that somebody else is at
 * are left out, as they may not be due any more when that one is done.
 */
export async function claimImports(db: Database, options: ClaimOptions): Promise<ImportTask[]> {
  const { limit, leaseMs, maxPerHost } = options;
  return db.transaction(async transaction => {
    await becomeClaimer(transaction, {});
    const claimed = await dueImages(transaction, { limit, leaseSeconds: leaseMs / 1_000, maxPerHost });
    return claimed.map(row => ({ ...row, attempts: Number(row.attempts) }));
  });
}

/** A process that is frozen just here must not keep the others from claiming for long. */
const becomeClaimer = statement(
  () => sql`
    select set_config('idle_in_transaction_session_timeout', '2000', true),
      pg_advisory_xact_lock(${sql.raw(advisoryLocks.claimImports)})`,
);

const isPending = sql`import_due_at is not null and deleted_at is null`;
const most = sql`${sql.placeholder('limit')}::int`;

const dueImages = statement<Omit<ImportTask, 'attempts'> & { attempts: string }>(
  () => sql`
    with recursive hosts as (
      (select source_host from images where ${isPending} order by source_host limit 1)
      union all
      select (select source_host from images where ${isPending} and source_host > hosts.source_host
              order by source_host limit 1)
      from hosts where hosts.source_host is not null
    ), busy as (
      select source_host, count(*) as tasks from images
      where import_claim is not null and import_due_at > now() group by source_host
    ), due as (
      select chosen.id from hosts
      left join busy using (source_host)
      cross join lateral (
        select id, import_due_at from images
        where ${isPending} and source_host = hosts.source_host and import_due_at <= now()
        order by import_due_at
        limit case hosts.source_host when '' then ${most}
          else greatest(${sql.placeholder('maxPerHost')}::int - coalesce(busy.tasks, 0), 0) end
        for update skip locked
      ) chosen
      order by chosen.import_due_at limit ${most}
    )
    update images set
      import_claim = gen_random_uuid(),
      import_due_at = now() + make_interval(secs => ${sql.placeholder('leaseSeconds')}::float8),
      attempts = attempts + 1
    from due where images.id = due.id
    returning images.id, product_id as "productId", source_url as "sourceUrl", source_path as "sourcePath",
      attempts, import_claim as claim, exists (
        select from images removed
        where removed.product_id = images.product_id and removed.replacement_id = images.replacement_id
          and removed.deleted_at is not null
      ) as "mayReplace"`,
);

type ClaimOf = Record<'id' | 'claim', string | Placeholder>;

/** The claim is the last that was made, and its time is not over. */
function isHeld({ id, claim }: ClaimOf) {
  return sql`id = ${id}::bigint and import_claim = ${claim}::uuid and import_due_at > now()`;
}

const hash = sql`decode(${sql.placeholder('fileHash')}, 'hex')`;

const finishedImages = statement<{ id: string }>(
  () => sql`
    with finished as (
      update images set
        state = 'UPLOADED', file_hash = ${hash}, failure_code = null, failure_message = null, retry_at = null,
        import_due_at = null, import_claim = null, updated_at = now()
      where ${isHeld({ id: sql.placeholder('id'), claim: sql.placeholder('claim') })}
      returning id
    ), released as (
      insert into released_files (hash) select ${hash} where not exists (select from finished)
      on conflict (hash) do update set hash = excluded.hash
    )
    select id from finished`,
);

/**
 * False where the claim is no longer held: nothing of the image is written then, and the file, which was held in vain, is let
 * go of, so that it is collected unless some image names it.
 */
export async function finishImport(
  db: Transaction,
  { id, claim }: ImportTask,
  fileHash: string,
): Promise<boolean> {
  const finished = await finishedImages(db, { id, claim, fileHash });
  return finished.length > 0;
}

export interface ImportFailure {
  code: ErrorCode;
  message: string;
  /** How many tries count. */
  attempts: number;
  /** Null: given up. */
  retryInMs: number | null;
}

/** Notes why a try failed, unless the claim is no longer held; the image stays, whatever becomes of it. */
export async function failImport(db: Connection, task: ImportTask, failure: ImportFailure): Promise<void> {
  const { code, message, attempts, retryInMs } = failure;
  const retryAt =
    retryInMs === null ? null : sql`now() + make_interval(secs => ${retryInMs / 1_000}::float8)`;
  await db
    .update(images)
    .set({
      state: retryInMs === null ? 'FAILED' : 'PENDING',
      failureCode: code,
      failureMessage: message,
      attempts,
      retryAt,
      importDueAt: retryAt,
      importClaim: null,
      updatedAt: sql`now()`,
    })
    .where(isHeld(task));
}

/** Hands back what was not finished, due again after `delayMs`; the try does not count. */
export async function releaseImport(db: Connection, task: ImportTask, delayMs: number): Promise<void> {
  await db
    .update(images)
    .set({
      importDueAt: sql`now() + make_interval(secs => ${delayMs / 1_000}::float8)`,
      importClaim: null,
      attempts: sql`${images.attempts} - 1`,
    })
    .where(isHeld(task));
}

/** Makes failed and waiting images due at once, with all their tries before them; the others stay as they are. */
export async function retryImports(db: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .update(images)
    .set({
      state: 'IMPORTED',
      attempts: 0,
      failureCode: null,
      failureMessage: null,
      retryAt: null,
      importDueAt: sql`now()`,
      importClaim: null,
      updatedAt: sql`now()`,
    })
    .where(
      and(
        sql`${images.id} = any(${formatArray(ids)}::bigint[])`,
        sql`${images.state} in ('PENDING', 'FAILED')`,
      ),
    );
}
