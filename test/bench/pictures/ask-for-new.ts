import { askAll } from './ask-all.ts';

process.once('disconnect', () => process.exit());
process.once('message', ({ port, paths }: { port: number; paths: string[] }) => askAll(port, paths, 4));
