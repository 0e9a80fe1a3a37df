/** The parts of an engine that a comparison of two kernels looks at. */
import type { Engine, EnginePorts } from '../engine/engine.js';

export interface ComparisonEngine extends Pick<
  Engine,
  'external' | 'filter' | 'internal' | 'names'
> {
  readonly ports: Pick<EnginePorts, 'clock' | 'logger' | 'random' | 'turns'>;
  readonly externalMode: Pick<Engine['externalMode'], 'committable' | 'injected'>;
  readonly feed: Pick<Engine['feed'], 'addOwn'>;
}
