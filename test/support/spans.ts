import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

export interface NotedSpan {
  name: string;
  traceId: string;
  id: string;
  parentId: string | undefined;
  attributes: Attributes;
  status: SpanStatus | undefined;
  hasEnded: boolean;
}

/** Registers what an SDK would: spans in memory, the active context, `traceparent` headers. Undone by `close`. */
export function keepSpans(): { spans: NotedSpan[]; close(): void } {
  const spans: NotedSpan[] = [];
  const tracer = {
    startSpan: (name: string, options?: SpanOptions, parent?: Context) =>
      startSpan(spans, name, options, parent),
    startActiveSpan: () => {
      throw new Error('not asked for');
    },
  };
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  context.setGlobalContextManager(createContextManager());
  propagation.setGlobalPropagator({
    inject: () => {},
    extract: readTraceparent,
    fields: () => ['traceparent'],
  });
  return {
    spans,
    close() {
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

function startSpan(
  spans: NotedSpan[],
  name: string,
  options: SpanOptions = {},
  parent = context.active(),
): Span {
  const parentContext = trace.getSpanContext(parent);
  const spanContext: SpanContext = {
    traceId: parentContext?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    traceFlags: TraceFlags.SAMPLED,
  };
  const noted: NotedSpan = {
    name,
    traceId: spanContext.traceId,
    id: spanContext.spanId,
    parentId: parentContext?.spanId,
    attributes: { ...options.attributes },
    status: undefined,
    hasEnded: false,
  };
  spans.push(noted);
  const span: Span = {
    spanContext: () => spanContext,
    setAttribute: (key, value) => span.setAttributes({ [key]: value }),
    setAttributes(attributes) {
      Object.assign(noted.attributes, attributes);
      return span;
    },
    setStatus(status) {
      noted.status = status;
      return span;
    },
    end() {
      noted.hasEnded = true;
    },
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    updateName: () => span,
    recordException: () => {},
    isRecording: () => true,
  };
  return span;
}

function createContextManager(): Parameters<typeof context.setGlobalContextManager>[0] {
  const storage = new AsyncLocalStorage<Context>();
  const manager: Parameters<typeof context.setGlobalContextManager>[0] = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...values) => storage.run(active, () => run.apply(self, values)),
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function readTraceparent(parent: Context, carrier: { traceparent?: string }): Context {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(carrier.traceparent ?? '') ?? [];
  if (!traceId || !spanId) return parent;
  return trace.setSpanContext(parent, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
