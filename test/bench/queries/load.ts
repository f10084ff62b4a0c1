import { type Load, run } from './connections.ts';

// In a process of its own, so that its work is not the measuring one's.
process.once('disconnect', () => process.exit());
process.on('message', (load: Load) => {
  run(load).then(
    measured => process.send?.({ measured }),
    error => process.send?.({ error: error.message }),
  );
});
