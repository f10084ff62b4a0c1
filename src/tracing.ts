import {
  type Attributes,
  context,
  ProxyTracerProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

// OpenTelemetry's interface alone: whoever runs the service brings an SDK, or there are no spans and hardly a cost.
// What is active where is known to the SDK, by its AsyncLocalStorage.

const getTracer = () => trace.getTracer('packshot');

/** Whether somebody has brought an SDK. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('packshot') !== undefined;
}

/** Runs the work in a span of its own, under the one that is active. */
export function inSpan<Result>(
  name: string,
  attributes: Attributes,
  work: () => Promise<Result>,
): Promise<Result> {
  return isTracing() ? runIn(getTracer().startSpan(name, { attributes }), work) : work();
}

async function runIn<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    noteFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A call to the database; what it answers ends the span. The text must hold no values. */
export function startStatementSpan(text: string): (error?: unknown) => void {
  if (!isTracing()) return nothing;
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  const span = getTracer().startSpan(verbOf(text), { kind: SpanKind.CLIENT, attributes });
  return error => {
    if (error !== undefined) noteFailure(span, error);
    span.end();
  };
}

export interface RequestSpan {
  /** Runs what belongs to the request. */
  run(work: () => void): void;
  end(status: number): void;
}

/** The request's part of the trace that its headers name, or a trace of its own; null where nothing is traced. */
export function startRequestSpan(
  method: string,
  route: string,
  headers: Record<string, string | string[] | undefined>,
): RequestSpan | null {
  if (!isTracing()) return null;
  const parent = propagation.extract(context.active(), headers);
  const attributes = { 'http.request.method': method, 'http.route': route };
  const span = getTracer().startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
  return {
    run: work => context.with(trace.setSpan(parent, span), work),
    end(status) {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

const nothing = () => {};

function verbOf(text: string): string {
  return /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
}

/** Without its message, which may hold what a client sent. */
function noteFailure(span: Span, error: unknown): void {
  const type = error instanceof Error ? error.name : typeof error;
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
