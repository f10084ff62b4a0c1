/** Where an original rests; spread over 256 folders. `hash` is its SHA-256 in hex. */
export function originalKey(hash: string, extension: string): string {
  return `originals/${hash.slice(0, 2)}/${hash}.${extension}`;
}
