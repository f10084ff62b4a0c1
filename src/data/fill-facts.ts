import postgres from 'postgres';

const imagesAtOnce = 1_000;
const deadlockDetected = '40P01';

/**
 * Gives images that were stored by earlier versions what is known of their files: a trigger copies it with whatever
 * update. A thousand at a time, so that nobody waits for long; once all have it, the constraint that says so is valid,
 * and there is nothing to do any more. To be called by one process at a time.
 */
export async function fillFacts(client: postgres.Sql): Promise<void> {
  const [pending] = await client`
    select 1 from pg_constraint
    where conrelid = 'images'::regclass and conname = 'images_have_facts_of_files' and not convalidated`;
  if (!pending) return;
  for (let last: string | null = '0'; last !== null; ) last = await fillAfter(client, last);
  await client`alter table images validate constraint images_have_facts_of_files`;
}

/** Answers the id of the last that was looked at; null at the end. */
async function fillAfter(client: postgres.Sql, id: string): Promise<string | null> {
  try {
    const [part] = await client<{ last: string | null }[]>`
      with part as materialized (
        select id, file_hash is not null and mime_type is null as is_without from images
        where id > ${id} order by id limit ${imagesAtOnce} for update
      ), filled as (
        update images set mime_type = null from part where images.id = part.id and part.is_without
      )
      select max(id)::text as last from part`;
    return part?.last ?? null;
  } catch (error) {
    // Somebody was changing the same images the other way round.
    if (error instanceof postgres.PostgresError && error.code === deadlockDetected) return id;
    throw error;
  }
}
