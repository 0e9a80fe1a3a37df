/** A healthy MASTER as the HTTP thread sees it. */
import { seconds } from '../../../src/base/time.js';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { assembleStatus } from '../../../src/daemon/status/statusAssembly.js';
import type { NodeView } from '../../../src/http/httpMessages.js';
import { sampleInstance, sampleSync, sampleUnit } from '../daemon/statusSamples.js';

const wallClock = seconds(1_700_000_000);
/** Of the sample, in milliseconds since 1970. */
export const sampleNow = 1_700_000_000_000;

export function sampleStatus(more: Partial<StatusAnswer> = {}): StatusAnswer {
  const source = {
    ...{ version: '1.2.3', node: 'fw1', pid: 1, configFile: 'f', startedAt: wallClock },
    ...{ now: seconds(1_000), wallClock, bound: 'VI', phase: 'steady', maintenance: false },
    router: { units: [sampleUnit], instances: [sampleInstance], statics: [], scripts: [] },
    sync: {
      ...{ status: sampleSync, downBecause: undefined, restarts: 0 },
      ...{ listingPath: '/l', mode: 'FTFW' },
    },
    ...{ lateness: { p50Ms: 1, p99Ms: 2, maxMs: 3 }, rssBytes: 80_000_000, further: [] },
    statistics: undefined,
    peerWasKeepstate: false,
  };
  return { ...assembleStatus(source, { problems: [], endedProblems: [] }), ...more };
}

export function sampleView(more: Partial<StatusAnswer> = {}): NodeView {
  return {
    status: sampleStatus(more),
    history: [
      {
        ...{ at: '2023-11-14T22:13:15.000Z', name: 'VI', kind: 'instance', from: 'BACKUP' },
        ...{ to: 'MASTER', because: 'no advertisement in time', flowsCommitted: 10_000 },
        ...{ commitMs: 71, takeoverMs: 78 },
      },
    ],
    garpDelays: { VI: 5 },
    scripts: [{ name: 'check', status: 'GOOD', isRunning: true }],
  };
}

/** Of a node that replicates nothing. */
export function withoutSync(status: StatusAnswer): StatusAnswer {
  return Object.fromEntries(Object.entries(status).filter(([name]) => name !== 'sync')) as Omit<
    StatusAnswer,
    'sync'
  >;
}
