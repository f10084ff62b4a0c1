import { Gauge, type Registry } from 'prom-client';

export interface Sources {
  /** By name. */
  pools?: Record<string, () => { inUse: number; waiting: number; limit: number }>;
  /** Null where the database does not answer. */
  importQueue?: () => Promise<{ due: number; oldestSeconds: number } | null>;
  importsRunning?: () => number;
  renderQueue?: () => { running: number; waiting: number };
  cache?: () => { memoryBytes: number; storedBytes: number };
  subscribers?: () => number;
}

/** Figures that are, rather than happen. */
export function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `packshot_${name}`, help, labelNames, registers: [registry] });
  const connections = gauge('pool_connections', 'Connections to the database in use.', 'pool');
  const limit = gauge('pool_connections_limit', 'Connections to the database at the most.', 'pool');
  const poolWaiting = gauge('pool_waiting', 'Requests that wait for a connection.', 'pool');
  const due = gauge('import_queue_due', 'Images due to be imported; counted up to 10,000.');
  const oldest = gauge('import_queue_oldest_seconds', 'For how long the oldest of them has been due.');
  const importing = gauge('imports_running', 'Images that this process is importing.');
  const rendering = gauge('renders_running', 'Renditions that this process is making.');
  const renderWaiting = gauge('renders_waiting', 'Renditions that wait for their turn.');
  const cacheBytes = gauge('cache_bytes', 'Of renditions kept, in memory and in the cache.', 'tier');
  const subscribers = gauge('subscribers', 'Open subscriptions to changes.');

  const readPools = (pools: NonNullable<Sources['pools']>) => {
    for (const [pool, read] of Object.entries(pools)) {
      const counts = read();
      connections.set({ pool }, counts.inUse);
      limit.set({ pool }, counts.limit);
      poolWaiting.set({ pool }, counts.waiting);
    }
  };

  return {
    async read(sources: Sources): Promise<void> {
      readPools(sources.pools ?? {});
      setOrDrop(importing, sources.importsRunning?.());
      const renders = sources.renderQueue?.();
      setOrDrop(rendering, renders?.running);
      setOrDrop(renderWaiting, renders?.waiting);
      const cache = sources.cache?.();
      if (cache) {
        cacheBytes.set({ tier: 'memory' }, cache.memoryBytes);
        cacheBytes.set({ tier: 'stored' }, cache.storedBytes);
      }
      setOrDrop(subscribers, sources.subscribers?.());
      const queue = await sources.importQueue?.();
      setOrDrop(due, queue?.due);
      setOrDrop(oldest, queue?.oldestSeconds);
    },
  };
}

/** What is not known is not told: 0 would be a figure, too. */
function setOrDrop(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}
