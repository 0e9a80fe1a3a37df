/**
 * Words that are known behind `-p PROTOCOL`, and the pairs of which one must be complete to name a
 * flow.
 */
import { row, type OptionRow } from './optionTable.js';

export interface ProtocolRow {
  /** As `-p` and the help call it. */
  readonly name: string;
  readonly number: number;
  readonly options: readonly OptionRow[];
  /**
   * For -I, -A and -G: options of the original direction, of the reply direction, and what is said
   * otherwise.
   */
  readonly pair?: {
    readonly original: readonly [string, string];
    readonly reply: readonly [string, string];
    readonly complaint: string;
    readonly replyComplaint: string;
  };
}

const anywhere = 'ooooooo-----';
const nowhere = '------------';

/**
 * Columns as in optionTable.ts: twelve of the table of flows, eight of the table of expectations.
 */
const ports: readonly OptionRow[] = [
  row('sport', undefined, 'PORT', 'original source port', `${anywhere}-RRR----`, ['orig-port-src']),
  row('dport', undefined, 'PORT', 'original destination port', `${anywhere}-RRR----`, [
    'orig-port-dst',
  ]),
  row(
    'reply-port-src',
    undefined,
    'PORT',
    'source port of the reply direction',
    `${anywhere}--RR----`,
  ),
  row(
    'reply-port-dst',
    undefined,
    'PORT',
    'destination port of the reply direction',
    `${anywhere}--RR----`,
  ),
  row('mask-port-src', undefined, 'MASK', 'mask of --tuple-port-src', `${nowhere}-R------`),
  row('mask-port-dst', undefined, 'MASK', 'mask of --tuple-port-dst', `${nowhere}-R------`),
  row(
    'tuple-port-src',
    undefined,
    'PORT',
    'source port of the expected flow',
    `${nowhere}-R------`,
  ),
  row(
    'tuple-port-dst',
    undefined,
    'PORT',
    'destination port of the expected flow',
    `${nowhere}-R------`,
  ),
];

const state = row('state', undefined, 'STATE', 'state', `oRRoooo-----` + '--------');

const portPair = {
  original: ['sport', 'dport'],
  reply: ['reply-port-src', 'reply-port-dst'],
  complaint: "you have to specify `--sport' and `--dport'",
  replyComplaint: "you have to specify `--reply-src-port' and `--reply-dst-port'",
} as const;

function icmp(name: string): readonly OptionRow[] {
  return [
    row(`${name}-type`, undefined, 'TYPE', 'type', `oRRooRo-------------`),
    row(`${name}-code`, undefined, 'CODE', 'code', `oRRooRo-------------`),
    row(`${name}-id`, undefined, 'ID', 'id', `${anywhere}--------`),
  ];
}

export const protocolRows: readonly ProtocolRow[] = [
  { name: 'tcp', number: 6, options: [...ports, state], pair: portPair },
  { name: 'udp', number: 17, options: ports, pair: portPair },
  { name: 'udplite', number: 136, options: ports, pair: portPair },
  { name: 'icmp', number: 1, options: icmp('icmp') },
  { name: 'icmpv6', number: 58, options: icmp('icmpv6') },
  {
    name: 'sctp',
    number: 132,
    options: [
      ...ports,
      state,
      row('orig-vtag', undefined, 'TAG', 'verification tag', `-RRo-o-------R------`),
      row(
        'reply-vtag',
        undefined,
        'TAG',
        'verification tag of the reply direction',
        `-RRo-o-------R------`,
      ),
    ],
    pair: portPair,
  },
  {
    name: 'dccp',
    number: 33,
    options: [
      ...ports,
      state,
      row(
        'role',
        undefined,
        'client|server',
        'who the source of the original direction is',
        `-RR----------R------`,
      ),
    ],
    pair: {
      ...portPair,
      replyComplaint: "you have to specify `--reply-port-src' and `--report-port-dst'",
    },
  },
  {
    name: 'gre',
    number: 47,
    options: [
      row('srckey', undefined, 'KEY', 'original source key', `${anywhere}-RRR----`, [
        'orig-key-src',
      ]),
      row('dstkey', undefined, 'KEY', 'original destination key', `${anywhere}-RRR----`, [
        'orig-key-dst',
      ]),
      row(
        'reply-key-src',
        undefined,
        'KEY',
        'source key of the reply direction',
        `${anywhere}-RRR----`,
      ),
      row(
        'reply-key-dst',
        undefined,
        'KEY',
        'destination key of the reply direction',
        `${anywhere}-RRR----`,
      ),
      row('mask-key-src', undefined, 'MASK', 'mask of --tuple-key-src', `${nowhere}-R------`),
      row('mask-key-dst', undefined, 'MASK', 'mask of --tuple-key-dst', `${nowhere}-R------`),
      row(
        'tuple-key-src',
        undefined,
        'KEY',
        'source key of the expected flow',
        `${nowhere}-R------`,
      ),
      row(
        'tuple-key-dst',
        undefined,
        'KEY',
        'destination key of the expected flow',
        `${nowhere}-R------`,
      ),
    ],
    pair: {
      original: ['srckey', 'dstkey'],
      reply: ['reply-key-src', 'reply-key-dst'],
      complaint: "you have to specify `--srckey' and `--dstkey'",
      replyComplaint: "you have to specify `--reply-src-key' and `--reply-dst-key'",
    },
  },
];

/** undefined for protocols that have no words of their own. */
export function protocolRow(number: number): ProtocolRow | undefined {
  return protocolRows.find((one) => one.number === number);
}
