/** Metrics of the replication: tables, events, links and the peer. */
import type { SyncStatusAnswer } from '../control/statusAnswer.js';
import { epochSeconds, flag, labelled, ofSync, one, oneOf, type MetricRow } from './metricRow.js';

const syncStates = ['starting', 'synchronising', 'synchronised', 'peer-lost', 'stopped', 'down'];
const parities = ['equal', 'different', 'unknown'] as const;

const ofLinks = (read: (link: SyncStatusAnswer['links'][number]) => number): MetricRow['read'] =>
  ofSync(({ links }) =>
    links.map((link) => ({
      labels: { interface: link.interface, kind: link.kind },
      value: read(link),
    })),
  );

export const syncMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_sync_state',
    help: 'State of the sync engine: 1 at the state that holds.',
    type: 'gauge',
    labels: ['state'],
    read: ofSync(({ state }) => oneOf('state', syncStates, state)),
  },
  {
    name: 'keepstate_sync_figures_age_seconds',
    help: 'Age of the figures of the sync engine; more than a moment only where it is too busy.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ ageMs = 0 }) => one(ageMs / 1000)),
  },
  {
    name: 'keepstate_flows',
    help: 'Flows by table: the kernel, those that the filter ignores there, internal and external cache.',
    type: 'gauge',
    labels: ['table'],
    read: ofSync(({ kernel, internal, external }) => [
      ...labelled('table', 'kernel', kernel?.flows),
      ...labelled('table', 'ignored', kernel?.ignored),
      ...labelled('table', 'internal', internal.entries),
      ...labelled('table', 'external', external.entries),
    ]),
  },
  {
    name: 'keepstate_flows_limit',
    help: 'HashLimit: how many flows a cache takes.',
    type: 'gauge',
    labels: ['table'],
    read: ofSync(({ internal, external }) => [
      ...labelled('table', 'internal', internal.limit),
      ...labelled('table', 'external', external.limit),
    ]),
  },
  {
    name: 'keepstate_table_bytes',
    help: 'Memory of the flow tables.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ worker }) => one(worker.tableBytes)),
  },
  {
    name: 'keepstate_parity',
    help: 'Whether both nodes hold the same flows: 1 at what holds.',
    type: 'gauge',
    labels: ['parity'],
    read: ofSync(({ parity }) => oneOf('parity', parities, parity)),
  },
  {
    name: 'keepstate_parity_equal_since_seconds',
    help: 'Since when each comparison of the nodes found the same flows, seconds since 1970.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ parityEqualSince: since }) =>
      since === undefined ? [] : one(epochSeconds(since)),
    ),
  },
  {
    name: 'keepstate_parity_compared_seconds',
    help: 'Age of the last comparison of the nodes.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ parityComparedAgoMs: ms }) => (ms === undefined ? [] : one(ms / 1000))),
  },
  {
    name: 'keepstate_flows_behind',
    help: 'Flows that the external cache lacks of what the other node has; at: whose external cache.',
    type: 'gauge',
    labels: ['at'],
    read: ofSync(({ internal, external, peer: { holds } }) =>
      holds === undefined
        ? []
        : [
            ...labelled('at', 'here', Math.max(0, holds.internal - external.entries)),
            ...(holds.external === undefined
              ? []
              : labelled('at', 'peer', Math.max(0, internal.entries - holds.external))),
          ],
    ),
  },
  {
    name: 'keepstate_commit_running',
    help: '1 while the external cache is committed to the kernel.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ commitInProgress }) => one(flag(commitInProgress))),
  },
  {
    name: 'keepstate_events_total',
    help: 'Flow events of the kernel.',
    type: 'counter',
    labels: [],
    read: ofSync(({ events }) => one(events.received)),
  },
  {
    name: 'keepstate_events_not_replicated_total',
    help: 'Flow events that are not told to the peer, by reason.',
    type: 'counter',
    labels: ['reason'],
    read: ofSync(({ events }) => [
      ...labelled('reason', 'filter', events.filtered),
      ...labelled('reason', 'own', events.own),
      ...labelled('reason', 'malformed', events.malformed),
    ]),
  },
  {
    name: 'keepstate_unknown_attributes_total',
    help: 'Attributes of a newer kernel or peer that were skipped.',
    type: 'counter',
    labels: ['from'],
    read: ofSync(({ events, peer }) => [
      ...labelled('from', 'kernel', events.unknownAttributes),
      ...labelled('from', 'peer', peer.unknownAttributes),
    ]),
  },
  {
    name: 'keepstate_event_buffer_bytes',
    help: 'Size of the buffer in which the kernel queues events.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ netlinkBufferBytes }) => one(netlinkBufferBytes)),
  },
  {
    name: 'keepstate_overruns_total',
    help: 'How often the kernel dropped events because its buffer was full; each is followed by a resync.',
    type: 'counter',
    labels: [],
    read: ofSync(({ overruns }) => one(overruns)),
  },
  {
    name: 'keepstate_resyncs_total',
    help: 'Comparisons of the internal cache with the kernel.',
    type: 'counter',
    labels: [],
    read: ofSync(({ resyncs }) => one(resyncs)),
  },
  {
    name: 'keepstate_queue_messages',
    help: 'Messages that wait: to be sent, and to be acknowledged by the peer.',
    type: 'gauge',
    labels: ['queue'],
    read: ofSync(({ queues }) => [
      ...labelled('queue', 'transmit', queues.transmit),
      ...labelled('queue', 'resend', queues.resend),
    ]),
  },
  {
    name: 'keepstate_oldest_unacknowledged_seconds',
    help: 'FTFW: at most how long the oldest flow waits for the acknowledgement of the peer; 0: none waits.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ queues: { oldestUnacknowledgedMs: ms } }) =>
      ms === undefined ? [] : one(ms / 1000),
    ),
  },
  {
    name: 'keepstate_resend_limit_messages',
    help: 'How many messages wait for their acknowledgement at most.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ queues }) => one(queues.resendLimit)),
  },
  {
    name: 'keepstate_resend_dropped_total',
    help: 'Messages that left the resend queue before the peer had acknowledged them.',
    type: 'counter',
    labels: [],
    read: ofSync(({ queues }) => one(queues.resendDropped)),
  },
  {
    name: 'keepstate_link_usable',
    help: '1 where a dedicated link can be used.',
    type: 'gauge',
    labels: ['interface', 'kind'],
    read: ofLinks(({ usable }) => flag(usable)),
  },
  {
    name: 'keepstate_link_active',
    help: '1 at the dedicated link in use.',
    type: 'gauge',
    labels: ['interface', 'kind'],
    read: ofLinks(({ active }) => flag(active)),
  },
  {
    name: 'keepstate_link_sent_bytes_total',
    help: 'Bytes sent over a dedicated link.',
    type: 'counter',
    labels: ['interface', 'kind'],
    read: ofLinks(({ bytesSent }) => bytesSent),
  },
  {
    name: 'keepstate_link_received_bytes_total',
    help: 'Bytes received over a dedicated link.',
    type: 'counter',
    labels: ['interface', 'kind'],
    read: ofLinks(({ bytesReceived }) => bytesReceived),
  },
  {
    name: 'keepstate_link_datagrams_total',
    help: 'Datagrams of a dedicated link.',
    type: 'counter',
    labels: ['interface', 'kind', 'direction'],
    read: ofSync(({ links }) =>
      links.flatMap(({ interface: link, kind, datagramsSent, datagramsReceived }) => [
        { labels: { interface: link, kind, direction: 'send' }, value: datagramsSent },
        { labels: { interface: link, kind, direction: 'receive' }, value: datagramsReceived },
      ]),
    ),
  },
  {
    name: 'keepstate_link_errors_total',
    help: 'Failed operations of a dedicated link.',
    type: 'counter',
    labels: ['interface', 'kind', 'direction'],
    read: ofSync(({ links }) =>
      links.flatMap(({ interface: link, kind, sendErrors, receiveErrors }) => [
        { labels: { interface: link, kind, direction: 'send' }, value: sendErrors },
        { labels: { interface: link, kind, direction: 'receive' }, value: receiveErrors },
      ]),
    ),
  },
  {
    name: 'keepstate_worker_restarts_total',
    help: 'How often the sync engine was started again.',
    type: 'counter',
    labels: [],
    read: ofSync(({ worker }) => one(worker.restarts)),
  },
];
