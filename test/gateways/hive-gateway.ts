import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { openLoopbackServer, type Server } from './loopback-server.ts';

export async function openHiveGateway(supergraph: string): Promise<Server> {
  const gateway = createGatewayRuntime({ supergraph, logging: false });
  const server = await openLoopbackServer(gateway);
  return {
    url: server.url,
    async close() {
      await server.close();
      await gateway[Symbol.asyncDispose]();
    },
  };
}
