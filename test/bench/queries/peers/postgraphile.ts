import { createServer } from 'node:http';
import pg from 'pg';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { poolSize } from './store.ts';
import { tellParent } from './tell-parent.ts';

const [databaseUrl = ''] = process.argv.slice(2);

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  // It sees no use in partial indexes, and would leave out the relations and conditions that they serve.
  disablePlugins: ['PgIndexBehaviorsPlugin'],
  // Those of the second are for it alone; see database.ts.
  pgServices: [
    makePgService({
      pool: new pg.Pool({ connectionString: databaseUrl, max: poolSize }),
      schemas: ['public', 'postgraphile'],
    }),
  ],
  grafserv: { port: 0, graphiql: false, watch: false, websockets: false },
  grafast: { explain: false },
});
const server = createServer();
const serv = instance.createServ(grafserv);
await serv.addTo(server);
await new Promise<void>(done => server.listen(0, '127.0.0.1', () => done()));
tellParent(server);
if (process.argv.includes('--schema')) {
  const { printSchema } = await import('postgraphile/graphql');
  process.stdout.write(printSchema((await instance.getSchemaResult()).schema));
}
