/** What was shown is not, or no longer, a credential. The message says why; it is for logs only. */
export class BadCredential extends Error {
  override name = 'BadCredential';
}

/** Nobody can say at the moment whether what was shown is good. */
export class CredentialsUnavailable extends Error {
  override name = 'CredentialsUnavailable';

  constructor(cause: unknown) {
    super('The keys of tokens cannot be had', { cause });
  }
}
