import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

/** The supergraph of services, given by their names and addresses; each tells its own schema. */
export async function composeSupergraph(addresses: Record<string, string>): Promise<string> {
  const { supergraphSdl, errors } = composeServices(await readServices(addresses));
  if (errors) throw new Error(errors.map(error => error.message).join('\n'));
  return supergraphSdl;
}

/** What composition works on. */
export async function readServices(addresses: Record<string, string>) {
  return Promise.all(
    Object.entries(addresses).map(async ([name, url]) => ({
      name,
      url,
      typeDefs: parse(await readSdl(url)),
    })),
  );
}

async function readSdl(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = (await response.json()) as { data: { _service: { sdl: string } } };
  return data._service.sdl;
}
