export type Environment = Readonly<Record<string, string | undefined>>;

/** How the loader, the allocator, Node, libuv and libvips work. */
const ofRuntime =
  /^(LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES|MALLOC_\w+|NODE_ENV|NODE_OPTIONS|NODE_COMPILE_CACHE|UV_THREADPOOL_SIZE|VIPS_\w+|TMPDIR|TEMP|TMP)$/;

/** What the SDK of S3 goes by: its keys, or where they are, and whom to trust. */
const ofS3 =
  /^(AWS_\w+|HOME|USERPROFILE|PATH|NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|NODE_TLS_REJECT_UNAUTHORIZED|SSL_CERT_FILE|SSL_CERT_DIR)$/;

/**
 * What of the service's environment, which holds secrets, a process gets that decodes pictures of strangers and reads
 * them from `storage`, a setting. A decoder that was taken over does not have the secrets at hand then. It may still find
 * them: who runs as the same user can often read the environment of the service itself (proc_pid_environ(5)).
 */
export function environmentOfDecoder(environment: Environment, storage: string): Record<string, string> {
  const isNeeded = (name: string) => ofRuntime.test(name) || (storage !== 'disk' && ofS3.test(name));
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isNeeded(name) ? [[name, value]] : [],
    ),
  );
}
