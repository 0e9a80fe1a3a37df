/**
 * Joins the parts of an engine that know of the role: the time as MASTER, what is left over of it,
 * and the purge.
 */
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { Engine } from '../engine/engine.js';
import { LeftoverWork } from './leftoverWork.js';
import { Mastership } from './mastership.js';
import { PurgeWork } from './purgeWork.js';

export interface RoleParts {
  readonly mastership: Mastership;
  readonly leftovers: LeftoverWork;
  readonly purge: PurgeWork;
}

/** For an engine that has its caches; the rest of it is looked at when it is needed. */
export function roleParts(engine: Engine): RoleParts {
  const { ports, names, filter, internal, external } = engine;
  const isInjected = (flow: FlowCursor): boolean => engine.externalMode.injected.holds(flow);
  const common = { names, filter, isInjected, feed: () => engine.feed, ...ports };
  const mastership = new Mastership(ports.random, internal);
  const purge = new PurgeWork({
    ...common,
    changed: () => {
      engine.replicator.startBulk('the kernel was purged');
    },
    purged: () => {
      leftovers.drop();
      ports.report({ kind: 'purged' });
      if (internal.stance === 'leavingAhead') internal.setStance('own');
      // With the flows that were injected for the peer.
      if (engine.externalMode.committable === undefined) engine.askForAll('the kernel was purged');
    },
  });
  const leftovers = new LeftoverWork({
    ...common,
    isPeerMaster: () => purge.hasHeardMaster && engine.announcesEnds(ports.clock.now()),
    endsHere: (flow) => {
      internal.endHere(flow);
    },
  });
  internal.onTouched((flow) => {
    leftovers.touched(flow);
  });
  external.onDeleted((flow) => {
    leftovers.peerEnded(flow);
  });
  return { mastership, leftovers, purge };
}
