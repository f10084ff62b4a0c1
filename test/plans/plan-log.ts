import postgres from 'postgres';

/** A node of a plan, as EXPLAIN (ANALYZE, FORMAT JSON) tells it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Plan Rows': number;
  /** Of one loop. */
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** A statement that ran, also one that a trigger or a foreign key ran, and how. */
export interface RunPlan {
  text: string;
  root: PlanNode;
}

export interface PlanLog {
  /** The plans of what ran since the last call. */
  take(): Promise<RunPlan[]>;
  close(): Promise<void>;
}

const settings = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_format': 'json',
  'auto_explain.log_parameter_max_length': '0',
};

/**
 * Has the server tell the plan of every statement that later connections to the database run. Reads it from the log of
 * an embedded server; another's may be anywhere.
 */
export async function openPlanLog(databaseUrl: string): Promise<PlanLog> {
  const url = new URL(databaseUrl);
  const database = url.pathname.slice(1);
  url.pathname = '/postgres';
  const sql = postgres(url.href, { max: 1, onnotice: () => {} });
  for (const [name, value] of Object.entries(settings)) {
    await sql.unsafe(`alter database ${database} set ${name} = '${value}'`);
  }
  const [row] =
    await sql`select regexp_replace(current_setting('data_directory'), '/cluster/data$', '/server.log') path`;
  const path: string = row?.path;
  let offset = await sizeOf(sql, path);
  return {
    async take() {
      const end = await sizeOf(sql, path);
      const [read] = await sql`select pg_read_file(${path}, ${offset}, ${end - offset}) as text`;
      offset = end;
      return parseLog(read?.text ?? '');
    },
    close: () => sql.end(),
  };
}

/** As `force_generic_plan`: those that Postgres may keep from the sixth run of a statement on. */
export async function setPlanCacheMode(
  databaseUrl: string,
  mode: 'force_generic_plan' | 'force_custom_plan',
) {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(`alter database ${new URL(databaseUrl).pathname.slice(1)} set plan_cache_mode = ${mode}`);
  await sql.end();
}

async function sizeOf(sql: postgres.Sql, path: string): Promise<number> {
  const [row] = await sql`select size::int from pg_stat_file(${path})`;
  return row?.size ?? 0;
}

/** Lines that go on begin with a tab; each plan is one JSON object. */
function parseLog(text: string): RunPlan[] {
  return [...text.matchAll(/ plan:\n((?:\t.*\n)+)/g)].map(([, lines = '']) => {
    const { 'Query Text': query, Plan: root } = JSON.parse(lines.replaceAll(/^\t/gm, ''));
    return { text: query, root };
  });
}
