import { buildHTTPExecutor } from '@graphql-tools/executor-http';
import { stitchSchemas } from '@graphql-tools/stitch';
import { stitchingDirectives } from '@graphql-tools/stitching-directives';
import { buildSchema, type ExecutionResult, parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { openLoopbackServer, type Server } from './loopback-server.ts';

/** One schema over the services at these addresses. */
export async function openStitchedGateway(addresses: readonly string[]): Promise<Server> {
  const schema = stitchSchemas({
    subschemas: await Promise.all(addresses.map(loadSubschema)),
    subschemaConfigTransforms: [stitchingDirectives().stitchingDirectivesTransformer],
  });
  return openLoopbackServer(createYoga({ schema, logging: false }));
}

/** Of a service that tells its own schema, and in it how its types merge with those of others. */
async function loadSubschema(endpoint: string) {
  const executor = buildHTTPExecutor({ endpoint });
  const { data } = (await executor({ document: parse('{ _sdl }') })) as ExecutionResult<{ _sdl: string }>;
  return { schema: buildSchema(data?._sdl ?? ''), executor, batch: true };
}
