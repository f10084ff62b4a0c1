import SchemaBuilder from '@pothos/core';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import type { Scope } from '../access/caller.ts';
import { createRefusal, type FieldScope, isAllowed } from './access.ts';
import type { Context } from './context.ts';
import type { UploadedFile } from './uploaded-file.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  AuthScopes: Record<FieldScope, boolean>;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    URL: { Input: string; Output: string };
    Locale: { Input: string; Output: string };
    File: { Input: UploadedFile; Output: never };
    _Any: { Input: unknown; Output: never };
  };
}>({
  plugins: [ScopeAuthPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authScopes: ({ caller }) => ({
      public: isAllowed(caller, 'public'),
      'images:read': isAllowed(caller, 'images:read'),
      'images:write': isAllowed(caller, 'images:write'),
    }),
    authorizeOnSubscribe: true,
    unauthorizedError: (_parent, { caller }, { parentType }) =>
      createRefusal(caller, scopeOf(parentType.name)),
  },
});

function scopeOf(rootType: string): Scope {
  return rootType === 'Mutation' ? 'images:write' : 'images:read';
}

builder.queryType({ description: 'What can be read. What is not there is null or empty, never an error.' });
builder.subscriptionType({ description: 'What can be followed, as a stream of server-sent events.' });
builder.mutationType({
  description:
    'What can be changed. A mutation does all that it says or nothing: where `userErrors` is not empty, nothing was changed.',
});
