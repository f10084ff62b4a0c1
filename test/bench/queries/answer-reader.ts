const empty: Buffer = Buffer.alloc(0);

/**
 * Reads answers to HTTP requests that come one at a time, as cheaply as it can: whether a chunk of bytes is the end of
 * one. Throws where its status is not 200, or where it says "errors". Keeps no chunk.
 */
export function createAnswerReader(): (chunk: Buffer) => boolean {
  let head = empty;
  let body: ((chunk: Buffer) => boolean) | null = null;
  return chunk => {
    let rest = chunk;
    if (!body) {
      head = head.length > 0 ? Buffer.concat([head, chunk]) : chunk;
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        head = Buffer.from(head);
        return false;
      }
      body = createBodyReader(head.toString('latin1', 0, end));
      rest = head.subarray(end + 4);
    }
    if (rest.includes('"errors":')) throw new Error(`Answered with ${rest.subarray(0, 500)}`);
    if (!body(rest)) return false;
    head = empty;
    body = null;
    return true;
  };
}

function createBodyReader(head: string): (chunk: Buffer) => boolean {
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(`Answered with ${head}`);
  const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return countDown(Number(length));
  if (/\ntransfer-encoding: *chunked/i.test(head)) return readChunks();
  throw new Error(`Answered without a length: ${head}`);
}

function countDown(length: number): (chunk: Buffer) => boolean {
  let missing = length;
  return chunk => {
    missing -= chunk.length;
    return missing <= 0;
  };
}

/** RFC 9112, 7.1, without trailers. */
function readChunks(): (chunk: Buffer) => boolean {
  let pending = empty;
  // Of the chunk under way, with the line end behind it.
  let missing = 0;
  const keep = () => {
    pending = Buffer.from(pending);
    return false;
  };
  return bytes => {
    pending = pending.length > 0 ? Buffer.concat([pending, bytes]) : bytes;
    for (;;) {
      if (missing > pending.length) {
        missing -= pending.length;
        pending = empty;
        return false;
      }
      pending = pending.subarray(missing);
      missing = 0;
      const end = pending.indexOf('\r\n');
      if (end < 0) return keep();
      const size = Number.parseInt(pending.toString('latin1', 0, end), 16);
      if (size === 0) return pending.length >= end + 4 || keep();
      pending = pending.subarray(end + 2);
      missing = size + 2;
    }
  };
}
