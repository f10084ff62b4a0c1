import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

export interface ImportBacklog {
  /** Images that nobody is at, counted up to 10,000 of a host. */
  due: number;
  /** For how long the oldest of them has been due; 0 where there is none. */
  oldestSeconds: number;
}

/**
 * Costs a probe of an index for each host that something is due from, and reads each image that it counts. What is added
 * through the API is due before it is there, so that it goes before others.
 */
export async function measureImportBacklog(db: Database, timeoutMs: number): Promise<ImportBacklog> {
  return db.transaction(async transaction => {
    await transaction.execute(sql`select set_config('statement_timeout', ${String(timeoutMs)}, true)`);
    const [row] = await transaction.execute<{ due: string; oldest: number | null }>(sql`
      with recursive hosts as (
        (select source_host from images where import_due_at is not null and deleted_at is null
         order by source_host limit 1)
        union all
        select (select source_host from images
                where import_due_at is not null and deleted_at is null and source_host > hosts.source_host
                order by source_host limit 1)
        from hosts where hosts.source_host is not null
      )
      select sum(of_host.due) as due, extract(epoch from now() - min(of_host.oldest))::float8 as oldest
      from hosts cross join lateral (
        select count(*) as due, min(due_since) as oldest from (
          select greatest(import_due_at, created_at) as due_since from images
          where import_due_at is not null and deleted_at is null
            and source_host = hosts.source_host and import_due_at <= now()
          order by import_due_at limit 10000
        ) counted
      ) of_host`);
    return { due: Number(row?.due ?? 0), oldestSeconds: row?.oldest ?? 0 };
  });
}
