import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Says what is wrong with the address of a GET; Yoga takes it for a failure of the service. */
export function useGetParameters(): Plugin {
  return {
    onRequestParse({ request, url }) {
      if (request.method !== 'GET') return;
      for (const name of ['variables', 'extensions']) checkJson(name, url.searchParams.get(name));
    },
  };
}

function checkJson(name: string, text: string | null): void {
  if (!text) return;
  try {
    JSON.parse(text);
  } catch {
    throw new GraphQLError(
      `${name} in the address is ${JSON.stringify(text.slice(0, 100))}; it must be JSON`,
      {
        extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
      },
    );
  }
}
