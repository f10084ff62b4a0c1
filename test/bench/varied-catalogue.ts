import postgres from 'postgres';
import { fillCatalogue } from './catalogue.ts';

/** How many images there are of each of the rarest kinds, however many there are in all. */
export const rareCount = 100;

/**
 * As `fillCatalogue`, and then with what a catalogue in use has: images of all types, in all states, and deleted ones.
 * Some kinds are a fixed part of the whole. Others are as few in a large one as in a small one, evenly spread: who reads
 * on for them until a page is full reads almost everything.
 */
export async function fillVariedCatalogue(databaseUrl: string, imageCount: number): Promise<void> {
  await fillCatalogue(databaseUrl, imageCount);
  await varyCatalogue(databaseUrl, imageCount);
}

async function varyCatalogue(databaseUrl: string, imageCount: number): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    for (const text of variations(imageCount / rareCount)) await sql.unsafe(text);
    await sql`vacuum (analyze) images, image_counts`;
    await sql`checkpoint`;
  } finally {
    await sql.end();
  }
}

const variations = (stride: number) => [
  `update images set type = 'SPIN_360' where id % 100 = 11`,
  `update images set type = 'COLOR_SWATCH' where id % ${stride} = 20`,
  `update images set state = 'FAILED', failure_code = 'SOURCE_NOT_FOUND', failure_message = 'answered 404'
   where id % 100 = 7`,
  `update images set state = 'PENDING' where id % ${stride} = 28`,
  `update images set deleted_at = now(), restorable_until = now() + interval '30 days' where id % 20 = 13`,
  `update images set deleted_at = now(), restorable_until = now() + interval '30 days', state = 'PENDING'
   where id % ${stride} = 36`,
];
