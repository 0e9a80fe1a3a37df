/** Metrics of the peer, and of the keys that seal what is said to it. */
import {
  epochSeconds,
  flag,
  labelled,
  ofSync,
  one,
  oneOf,
  states,
  type MetricRow,
} from './metricRow.js';

export const peerMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_peer_role',
    help: "The peer's role by its own word: 1 at what holds.",
    type: 'gauge',
    labels: ['state'],
    read: ofSync(({ peer }) => oneOf('state', [...states, 'unknown'], peer.role)),
  },
  {
    name: 'keepstate_peer_role_since_seconds',
    help: 'Since when the peer has its role by its own word, seconds since 1970.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ peer: { roleSince: since } }) =>
      since === undefined ? [] : one(epochSeconds(since)),
    ),
  },
  {
    name: 'keepstate_peer_kind',
    help: 'What answers as the peer: 1 at what holds.',
    type: 'gauge',
    labels: ['kind'],
    read: ofSync(({ peer }) => oneOf('kind', ['none', 'conntrackd', 'keepstate'], peer.kind)),
  },
  {
    name: 'keepstate_peer_maintenance',
    help: '1 while the peer is in maintenance, by its own word: it would not take the role.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ peer }) =>
      peer.kind === 'keepstate' ? one(flag(peer.maintenance === true)) : [],
    ),
  },
  {
    name: 'keepstate_peer_unit_state',
    help: "State of the peer's groups and lone instances by its own word: 1 at what holds.",
    type: 'gauge',
    labels: ['unit', 'vrid', 'state'],
    read: ofSync(({ peer: { units = [] } }) =>
      units.flatMap(({ name, vrid, state }) =>
        oneOf('state', states, state, { unit: name, vrid: String(vrid) }),
      ),
    ),
  },
  {
    name: 'keepstate_peer_unit_priority',
    help: "Priority of the peer's groups and lone instances by its own word.",
    type: 'gauge',
    labels: ['unit', 'vrid'],
    read: ofSync(({ peer: { units = [] } }) =>
      units.map(({ name, vrid, priority }) => ({
        labels: { unit: name, vrid: String(vrid) },
        value: priority,
      })),
    ),
  },
  {
    name: 'keepstate_peer_flows',
    help: 'Flows of the peer by table, by its own word.',
    type: 'gauge',
    labels: ['table'],
    read: ofSync(({ peer: { holds } }) =>
      holds === undefined
        ? []
        : [
            ...labelled('table', 'kernel', holds.kernel),
            ...labelled('table', 'ignored', holds.ignored),
            ...labelled('table', 'internal', holds.internal),
            ...labelled('table', 'external', holds.external),
          ],
    ),
  },
  {
    name: 'keepstate_peer_heard_seconds',
    help: 'Age of the last message of the peer.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ peer }) => (peer.heardAgoMs === undefined ? [] : one(peer.heardAgoMs / 1000))),
  },
  {
    name: 'keepstate_peer_messages_lost_total',
    help: 'Messages of the peer that are missing in its numbering.',
    type: 'counter',
    labels: [],
    read: ofSync(({ peer }) => one(peer.lost)),
  },
  {
    name: 'keepstate_strangers_total',
    help: 'Datagrams from addresses that are not the configured peer.',
    type: 'counter',
    labels: [],
    read: ofSync(({ peer }) => one(peer.strangers)),
  },
  {
    name: 'keepstate_datagrams_refused_total',
    help: 'Datagrams and connections of the sync and peer ports that were refused, by reason.',
    type: 'counter',
    labels: ['reason'],
    read: ofSync(({ peer }) => [
      ...labelled('reason', 'malformed', peer.malformed),
      ...Object.entries(peer.refusedBy ?? {}).flatMap(([reason, count]) =>
        labelled('reason', reason, count),
      ),
    ]),
  },
  {
    name: 'keepstate_key_active',
    help: 'sync_key: 1 at the number and fingerprint of the key that seals, 0 at those that are accepted.',
    type: 'gauge',
    labels: ['key', 'fingerprint'],
    read: ofSync(({ seal }) =>
      Object.entries(seal?.keys ?? {}).map(([key, fingerprint]) => ({
        labels: { key, fingerprint },
        value: flag(Number(key) === seal?.activeKey),
      })),
    ),
  },
  {
    name: 'keepstate_key_heard_seconds',
    help: 'How long ago the peer was heard under a key.',
    type: 'gauge',
    labels: ['key'],
    read: ofSync(({ seal }) =>
      Object.entries(seal?.heardAgoMs ?? {}).map(([key, ms]) => ({
        labels: { key },
        value: ms / 1000,
      })),
    ),
  },
  {
    name: 'keepstate_peer_sealed',
    help: 'sync_key: 1 where the peer has shown a key, and nothing plain is taken or sent.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ seal }) => (seal === undefined ? [] : one(flag(seal.peerSealed)))),
  },
  {
    name: 'keepstate_seal_encrypts',
    help: 'sync_key: 1 where sealed datagrams are encrypted too; auth: sync_auth.',
    type: 'gauge',
    labels: ['auth'],
    read: ofSync(({ seal }) =>
      seal === undefined ? [] : [{ labels: { auth: seal.auth }, value: flag(seal.encrypted) }],
    ),
  },
  {
    name: 'keepstate_sealed_datagrams_refused_total',
    help: 'Datagrams that could not be unsealed, by reason.',
    type: 'counter',
    labels: ['reason'],
    read: ofSync(({ seal }) =>
      Object.entries(seal?.refused ?? {}).flatMap(([reason, count]) =>
        labelled('reason', reason, count),
      ),
    ),
  },
];
