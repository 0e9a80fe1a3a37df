/** The parts of an engine that the conversation with the peer looks at. */
import type { ComparisonEngine } from '../comparison/comparisonEngine.js';
import type { Engine, EnginePorts } from '../engine/engine.js';

/** What is asked of the replication. */
export interface ChannelReplicator extends Pick<
  Engine['replicator'],
  'acknowledgeNow' | 'askResync'
> {
  readonly machine: Pick<Engine['replicator']['machine'], 'last' | 'lastGap'> & {
    readonly counters: { readonly lost: number };
  };
  readonly resync: Pick<Engine['replicator']['resync'], 'answered' | 'ask'>;
  readonly transmitter: Pick<
    Engine['replicator']['transmitter'],
    'isBulkRunning' | 'nextSequence' | 'waiting'
  >;
}

export interface ChannelEngine
  extends
    ComparisonEngine,
    Pick<Engine, 'catchUp' | 'observe' | 'reportCaughtUp' | 'sweepExternal'> {
  readonly ports: Pick<EnginePorts, 'clock' | 'logger' | 'random' | 'report' | 'turns'>;
  readonly settings: Pick<Engine['settings'], 'mode'>;
  readonly check: Pick<Engine['check'], 'doubt' | 'view'>;
  readonly replicator: ChannelReplicator;
}

/** With its sockets. */
export interface LinkedEngine extends ChannelEngine {
  readonly ports: ChannelEngine['ports'] & Pick<EnginePorts, 'openChannel'>;
  readonly settings: Pick<Engine['settings'], 'links' | 'mode' | 'nodeName'>;
  readonly links: Pick<Engine['links'], 'active' | 'sources'>;
}
