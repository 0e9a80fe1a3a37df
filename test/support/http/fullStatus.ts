/** An answer to `status` with everything in it that a node can know. */
import type { StatusAnswer, TargetAddressStatus } from '../../../src/control/statusAnswer.js';
import { sampleStatus } from './sampleView.js';

const at = '2023-11-14T22:13:15.000Z';
const lateness = { p50Ms: 1, p99Ms: 2, maxMs: 3 };

const address: TargetAddressStatus = {
  address: 'icmp 198.51.100.1',
  state: 'good',
  since: at,
  rtt: { last: 1, median: 2, worst: 3 },
  answered: 9,
  lost: 1,
  lossPercent: 10,
};

export function fullStatus(): StatusAnswer {
  const status = sampleStatus();
  const { sync, instances } = status;
  const [instance] = instances;
  if (sync === undefined || instance === undefined) throw new Error('the sample has both');
  const keys = { 1: 'aa', 2: 'bb' };
  return {
    ...status,
    alerts: {
      ...{ last: 7, unsaved: 1 },
      sinks: [{ name: 'mail mx', waiting: 2, taken: 3, lost: 4, failures: 5, reason: 'refused' }],
    },
    scripts: [{ name: 'check', state: 'bad', lastEnd: 'exit 1', running: false }],
    instances: [
      {
        ...instance,
        peer: { address: '10.0.0.2', priority: 50, heardAgoMs: 300 },
        hmac: { mode: 'required', activeKey: 1, keys },
      },
    ],
    sync: {
      ...sync,
      ageMs: 10,
      kernel: { flows: 12, ignored: 2 },
      seal: {
        ...{ activeKey: 1, keys, auth: 'enforce', encrypted: true, peerSealed: true },
        ...{ heardAgoMs: { 1: 5 }, refused: { replay: 3 } },
      },
      parityEqualSince: at,
      parityComparedAgoMs: 400,
      purgeInMs: 500,
      purge: { by: 'content', removed: 1, ended: 2, kept: 3 },
      adopted: { entries: 4, refused: 5 },
      queues: { ...sync.queues, oldestUnacknowledgedMs: 70 },
      peer: {
        ...sync.peer,
        maintenance: false,
        roleSince: at,
        units: [{ name: 'VI', vrid: 51, state: 'BACKUP', since: at, priority: 90 }],
        holds: { kernel: 7, ignored: 1, internal: 400, external: 5, parity: 'equal' },
        refusedBy: { address: 6 },
      },
      links: [
        {
          ...{ interface: 'sync', kind: 'udp', active: true, usable: true },
          ...{ bytesSent: 1, bytesReceived: 2, datagramsSent: 3, datagramsReceived: 4 },
          ...{ sendErrors: 5, receiveErrors: 6 },
        },
      ],
      worker: { restarts: 1, lateness, tableBytes: 10 },
    },
    statistics: {
      ...{ state: 'logging', format: 'json', logged: 8, entries: 3, limit: 100 },
      outputs: [
        {
          ...{ kind: 'file', target: '/var/log/ended', written: 7, lost: 1, waiting: 2 },
          failingForMs: 100,
        },
      ],
      ...{ overruns: 1, resyncs: 2, netlinkBufferBytes: 3 },
      events: { received: 4, filtered: 5 },
    },
    targets: {
      ...{ icmpSocket: 'raw-socket', junk: 1, duplicates: 2, late: 3, floods: 4 },
      list: [
        {
          ...{ name: 'uplink', standing: 'reached', text: 't', counts: false },
          addresses: [address],
          peer: { state: 'good', addresses: [address] },
        },
      ],
    },
  };
}
