import type { RequestListener } from 'node:http';
import type { Config } from './config.ts';
import type { StatementWatch } from './data/connection.ts';
import type { OpenDatabase } from './data/database.ts';
import { type ImportBacklog, measureImportBacklog } from './data/import-backlog.ts';
import type { Worker } from './importing/worker.ts';
import { listen } from './listen.ts';
import type { Logger } from './log.ts';
import { contentType, createMetrics, type Metrics, type Sources } from './metrics/metrics.ts';
import type { Images } from './rendering/open-images.ts';
import { startStatementSpan } from './tracing.ts';
import { watchRequests, watchWholePosts } from './watch-requests.ts';
import type { AnswerWhole } from './whole-posts.ts';

/** What operators see of a process; the other parts tell it what happens, and know nothing of it. */
export interface Watching extends Metrics {
  /** The same handler, with ids, lines in the log, spans and figures for its requests. */
  watchRequests(handler: RequestListener): RequestListener;
  watchWholePosts(answer: AnswerWhole): AnswerWhole;
  /** What a pool of that name is opened with. */
  ofPool(name: string): { watch: StatementWatch; onRefused: () => void };
  /** What /metrics of the main port answers; null where that port is for others, too. */
  answer: RequestListener | null;
  /** Where they are served on a port of their own; null where they are not. */
  url: string | null;
  close(): Promise<void>;
}

/** Takes METRICS_PORT, if it is set. `isServing`: there is a main port. */
export async function openWatching(config: Config, log: Logger): Promise<Watching> {
  const metrics = createMetrics();
  const answer = createAnswer(metrics);
  const own = await listenApart(config, answer, log);
  // A public address means a proxy: what comes from this machine may then come from anybody.
  const isPrivate = own === null && config.publicUrl === '' && isLoopback(config.host);
  return {
    ...metrics,
    watchRequests: handler => watchRequests(handler, { log, onAnswered: metrics.onRequest }),
    watchWholePosts: answer => watchWholePosts(answer, { log, onAnswered: metrics.onRequest }),
    ofPool: name => ({
      watch: text => watchStatement(metrics, name, text),
      onRefused: () => metrics.onConnectionRefused(name),
    }),
    answer: isPrivate ? forThisMachine(answer) : null,
    url: own?.url ?? null,
    close: async () => own?.close(),
  };
}

const isLoopback = (host: string) => /^(localhost|::1|127\..*)$/.test(host);

const forwarded = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** Not for what a proxy passes on, nor for a page whose name leads here. */
function forThisMachine(answer: RequestListener): RequestListener {
  return (request, response) => {
    const { hostname = '' } = URL.parse(`http://${request.headers.host}`) ?? {};
    const isOwn = isLoopback(hostname.replace(/^\[|\]$/g, ''));
    if (isOwn && !forwarded.some(name => name in request.headers)) return answer(request, response);
    response.writeHead(404).end();
  };
}

async function listenApart(
  { metricsHost: host, metricsPort }: Config,
  answer: RequestListener,
  log: Logger,
): Promise<{ url: string; close(): Promise<void> } | null> {
  if (metricsPort === null) return null;
  const handler: RequestListener = (request, response) =>
    request.url === '/metrics' ? answer(request, response) : response.writeHead(404).end();
  const { port, close } = await listen(handler, host, metricsPort, { setting: 'METRICS_PORT' });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`;
  log.info({ metrics: url }, 'Metrics are served on a port of their own');
  return { url, close: () => close(0) };
}

function createAnswer(metrics: Metrics): RequestListener {
  return async (_request, response) => {
    const text = await metrics.format();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
  };
}

function watchStatement(metrics: Metrics, pool: string, text: string): (error?: unknown) => void {
  const startedAt = performance.now();
  const endSpan = startStatementSpan(text);
  return error => {
    metrics.onStatement(pool, text, (performance.now() - startedAt) / 1_000, error !== undefined);
    endSpan(error);
  };
}

const backlogTimeoutMs = 1_000;

/** At most one statement at a time, however often somebody asks; null where the database does not answer. */
function createBacklogReader({ db }: OpenDatabase): () => Promise<ImportBacklog | null> {
  let reading: Promise<ImportBacklog | null> | null = null;
  const read = () => measureImportBacklog(db, backlogTimeoutMs).catch(() => null);
  return async () => {
    reading ??= read().finally(() => {
      reading = null;
    });
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(resolve, backlogTimeoutMs, null);
    return Promise.race([reading, late]).finally(() => clearTimeout(timer));
  };
}

interface Followed {
  database?: OpenDatabase;
  background?: OpenDatabase;
  images?: Images | null;
  worker?: Worker | null;
}

/** Where the figures come from of what is open in a process. */
export function sourcesOf({ database, background, images, worker }: Followed): Sources {
  return {
    pools: {
      ...(database && { requests: database.counts }),
      ...(background && { background: background.counts }),
    },
    ...(background && { importQueue: createBacklogReader(background) }),
    ...(images && { renderQueue: images.queue, cache: images.cacheBytes }),
    ...(worker && { importsRunning: worker.countRunning }),
  };
}
