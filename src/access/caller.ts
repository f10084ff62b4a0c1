export const scopes = ['images:read', 'images:write'] as const;

export type Scope = (typeof scopes)[number];

/** Who asks, as far as is known. */
export interface Caller {
  /** Which credential: of a key `key:` and its id, of a token `jwt:` and its subject; null where none was shown. */
  id: string | null;
  scopes: ReadonlySet<Scope>;
  /** Nobody knows who it is, and there are callers who are known. Where no credentials are set up, nobody is a stranger. */
  isStranger: boolean;
  /** What the Host header says, where that alone keeps somebody out. */
  foreignHost?: string;
}

/** Where no credentials are set up: whoever reaches the service, on this machine. */
export const anyone: Caller = { id: null, scopes: new Set(scopes), isStranger: false };

/** Without a credential, where reading is public. */
export const publicReader: Caller = { id: null, scopes: new Set(['images:read']), isStranger: true };

/** Without a credential, where it is not. */
export const stranger: Caller = { id: null, scopes: new Set(), isStranger: true };

export function isScope(text: string): text is Scope {
  return scopes.some(scope => scope === text);
}
