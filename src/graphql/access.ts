import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Authentication } from '../access/authenticate.ts';
import type { Caller, Scope } from '../access/caller.ts';
import { BadCredential, CredentialsUnavailable } from '../access/refusals.ts';
import { isUnavailability } from '../data/unavailable.ts';
import { describeValue } from '../errors.ts';
import type { Logger } from '../log.ts';

/** What a field of Query, Mutation or Subscription may be asked for by. `public`: whatever was shown, also nothing. */
export type FieldScope = Scope | 'public';

export function isAllowed({ scopes }: Caller, scope: FieldScope): boolean {
  return scope === 'public' || scopes.has(scope);
}

const fieldScopes: readonly FieldScope[] = ['public', 'images:read', 'images:write'];

/** The one that a field was defined with; null where there is none, or it takes more to say who may ask. */
export function findScope(options: { authScopes?: unknown; grantScopes?: unknown } = {}): FieldScope | null {
  const { authScopes, grantScopes } = options;
  if (grantScopes || typeof authScopes !== 'object' || authScopes === null) return null;
  const [[scope, isNeeded] = [], ...others] = Object.entries(authScopes);
  if (isNeeded !== true || others.length > 0) return null;
  return fieldScopes.find(known => known === scope) ?? null;
}

/** Of Bitrix24, whose clients tell by them: access denied to read, and to write. */
const legacyCodes: Record<Scope, string> = { 'images:read': '200040300010', 'images:write': '200040300020' };

const realm = 'Bearer realm="packshot"';

/** What is known of a request from without. */
export interface Asking {
  req: IncomingMessage;
  /** For whom a page of the service's own asks. */
  visitor?: IncomingMessage;
  caller?: Caller;
  /** Where the short way has begun to find out who asks. */
  authenticated?: Promise<Caller>;
  /** Whether who asked then could ask now. */
  isStillGood?: () => Promise<boolean>;
}

/** Finds out who asks, before anything of the request's body is read. */
export function useAccess({ authenticate }: Authentication, log: Logger): Plugin<object, Asking> {
  return {
    async onRequestParse({ request, serverContext }) {
      const { headers } = serverContext.visitor ?? serverContext.req;
      const { authorization = null, host = '' } = headers;
      const finding = serverContext.authenticated ?? authenticate(authorization, host);
      const caller = await finding.catch(error => refuse(error, log));
      serverContext.caller = caller;
      serverContext.isStillGood = () =>
        authenticate(authorization, host).then(
          ({ scopes }) => scopes.has('images:read'),
          error => !(error instanceof BadCredential),
        );
      const isUpload = request.headers.get('content-type')?.startsWith('multipart/form-data');
      // Its files would be on the disk by the time a field is refused.
      if (isUpload && !caller.scopes.has('images:write')) throw createRefusal(caller, 'images:write');
    },
  };
}

function refuse(error: unknown, log: Logger): never {
  if (error instanceof CredentialsUnavailable || isUnavailability(error)) {
    log.warn({ err: error }, 'Credentials could not be checked');
    throw new GraphQLError('Credentials cannot be checked at the moment; try again.', {
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503, headers: { 'retry-after': '1' } } },
    });
  }
  if (!(error instanceof BadCredential)) throw error;
  log.info({ reason: error.message }, 'A credential was refused');
  throw unauthenticated(
    'The credential is not good; show an API key, or a token that has not expired.',
    `${realm}, error="invalid_token"`,
  );
}

/** Why a caller may not do what needs a scope. With 200, as errors of fields go, where it is known who asks. */
export function createRefusal({ isStranger, foreignHost }: Caller, scope: Scope): GraphQLError {
  if (foreignHost !== undefined) {
    return unauthenticated(
      `Host is ${describeValue(foreignHost)}; as long as no credentials are set up, it must be localhost, or the host of PUBLIC_URL.`,
      realm,
    );
  }
  if (isStranger) {
    return unauthenticated(
      `This needs a credential with ${scope}; send "authorization: Bearer", an API key or a token.`,
      `${realm}, scope="${scope}"`,
    );
  }
  return new GraphQLError(`This needs ${scope}, which the credential is not good for.`, {
    extensions: { code: 'FORBIDDEN', legacyCode: legacyCodes[scope] },
  });
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function unauthenticated(message: string, challenge: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'UNAUTHENTICATED',
      http: { status: 401, headers: { 'www-authenticate': challenge } },
    },
  });
}
