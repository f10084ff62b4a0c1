import { setPriority } from 'node:os';

// To be imported first by a process that works on pictures. On Linux a priority is a thread's own, and those of libuv
// and libvips, which do the work, take that of the thread that starts them.
try {
  setPriority(10);
} catch {
  // Where that is denied, pictures are worked on at the ordinary priority.
}
