/**
 * Advisory locks of Postgres, by what their holder does: any fixed numbers, each another, for whoever asks for one in
 * use waits. Processes of other versions run beside this one, so a number is never changed or given to another purpose.
 */
export const advisoryLocks = {
  migrate: '7241690213451',
  /** So that claims made at once keep the bound on hosts. */
  claimImports: '7241690213452',
  fillFacts: '7241690213453',
} as const;
