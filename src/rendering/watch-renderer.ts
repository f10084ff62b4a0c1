import { StorageFailed } from '../storage/storage.ts';
import { inSpan } from '../tracing.ts';
import { Overloaded, type Renderer, type RenderRequest } from './renderer.ts';

export type RenderOutcome = 'made' | 'no_original' | 'overloaded' | 'left' | 'storage_failed' | 'failed';

/** `seconds`: waiting included. */
export type OnRender = (outcome: RenderOutcome, encoding: string, seconds: number) => void;

/** Tells how each rendition ended that was to be made, and has a span for it. */
export function watchRenderer(renderer: Renderer, onRender: OnRender = () => {}): Renderer {
  return {
    ...renderer,
    async render(request, signal) {
      const startedAt = performance.now();
      const end = (outcome: RenderOutcome) =>
        onRender(outcome, request.recipe.encoding, (performance.now() - startedAt) / 1_000);
      try {
        const bytes = await inSpan('render', describe(request), () => renderer.render(request, signal));
        end(bytes ? 'made' : 'no_original');
        return bytes;
      } catch (error) {
        end(signal?.aborted ? 'left' : outcomeOf(error));
        throw error;
      }
    },
  };
}

function outcomeOf(error: unknown): RenderOutcome {
  if (error instanceof Overloaded) return 'overloaded';
  return error instanceof StorageFailed ? 'storage_failed' : 'failed';
}

function describe({ recipe: { width, height, encoding } }: RenderRequest) {
  return { 'packshot.width': width, 'packshot.height': height, 'packshot.encoding': encoding };
}
