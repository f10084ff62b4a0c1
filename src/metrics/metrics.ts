import { collectDefaultMetrics, Registry } from 'prom-client';
import { createCounters } from './counters.ts';
import { createGauges, type Sources } from './gauges.ts';

export type { Sources };

/** What happens in the service, counted for Prometheus. Whoever counts knows nothing of how. */
export interface Metrics extends ReturnType<typeof createCounters> {
  /** Where the figures come from that are read when somebody asks; what is not followed is not told. */
  follow(sources: Sources): void;
  /** In Prometheus' text format; takes a second at the most. */
  format(): Promise<string>;
}

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const gauges = createGauges(registry);
  const sources: Sources = {};
  return {
    ...createCounters(registry),
    follow: more => void Object.assign(sources, more),
    async format() {
      await gauges.read(sources);
      return (await Promise.all([registry.metrics(), ofProcess().metrics()])).join('');
    },
  };
}

let processRegistry: Registry | null = null;

/** Memory, processor, garbage, delay of the event loop: there is one process, whatever runs in it. */
function ofProcess(): Registry {
  if (processRegistry) return processRegistry;
  processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry });
  return processRegistry;
}
