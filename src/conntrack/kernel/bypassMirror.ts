/**
 * DisableInternalCache: the table of the mirror holds only what the listener has not passed on yet.
 * What the table does not know is then no sign that a flow is new, nor that its end is of no
 * interest.
 */
import { lifecycle, presenceBit, type FlowCursor } from '../record/flowRecord.js';
import { FlowMirror, type MirrorOptions } from './flowMirror.js';
import type { FlowOrigin } from './mirrorListener.js';

export class BypassMirror extends FlowMirror {
  /** It concerns the peer only if the flow was passed on before. */
  protected override readonly unknownEnded = (flow: FlowCursor, hash: number): number =>
    this.#own.filter.acceptsTuple(flow) ? this.take(flow, 'event', hash) : 0;
  /** It was passed on before, without its adjustments. */
  protected override readonly unknownAdjusted = (flow: FlowCursor): void => {
    if (!flow.knows(presenceBit.sequenceOriginal) || !this.#own.filter.accepts(flow)) return;
    this.unknownUpdated(flow, 'event', this.#own.table.hashOf(flow));
  };
  readonly #own: Pick<MirrorOptions, 'table' | 'filter' | 'listener'>;

  constructor(options: MirrorOptions) {
    super(options);
    this.#own = options;
  }

  /** A change of a flow that was passed on before. */
  protected override unknownUpdated(flow: FlowCursor, origin: FlowOrigin, hash: number): void {
    const slot = this.take(flow, origin, hash);
    if (slot === 0) return;
    this.#own.table.setLifecycle(slot, lifecycle.alive);
    this.#own.listener.updated(slot, 0, origin);
  }
}
