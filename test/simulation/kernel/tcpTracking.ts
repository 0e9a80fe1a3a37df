/**
 * TCP as the tracker sees it: what a segment makes of the state of a connection (RFC 9293, section
 * 3.3.2, seen from the middle). Each entry was watched on the real kernel (test/simulation/truth).
 * Windows are not computed: a packet says itself whether it lies outside.
 */
import { tcpState } from '../../../src/conntrack/constants.js';

/** Bits of the TCP header. */
export const segment = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export type Direction = 'original' | 'reply';

/** A next state; `ignored`: the packet passes and changes nothing; `invalid`. */
export type Transition = number | 'ignored' | 'invalid';

type Kind = 'syn' | 'synAck' | 'fin' | 'ack' | 'rst' | 'none';

const { none, synSent, synReceived, established } = tcpState;
const { finWait, closeWait, lastAck, timeWait, close, synSent2 } = tcpState;

/** Where nothing is written a state goes to `otherwise`. */
interface Row {
  readonly otherwise: Transition;
  readonly from?: ReadonlyMap<number, Transition>;
}

const row = (otherwise: Transition, ...from: [number, Transition][]): Row => ({
  otherwise,
  from: new Map(from),
});

const closing: readonly [number, Transition][] = [
  [synReceived, finWait],
  [established, finWait],
  [finWait, lastAck],
  [closeWait, lastAck],
  [lastAck, lastAck],
  [timeWait, timeWait],
  [close, close],
];
const acknowledging: readonly [number, Transition][] = [
  [established, established],
  [finWait, closeWait],
  [closeWait, closeWait],
  [lastAck, timeWait],
  [timeWait, timeWait],
  [close, close],
];

const rows: Readonly<Record<Direction, Readonly<Record<Kind, Row>>>> = {
  original: {
    syn: row(
      'ignored',
      [none, synSent],
      [synSent, synSent],
      [timeWait, synSent],
      [close, synSent],
      [synSent2, synSent2],
    ),
    synAck: row('invalid', [synReceived, synReceived], [synSent2, synReceived]),
    fin: row('invalid', ...closing),
    ack: row('invalid', [none, established], [synReceived, established], ...acknowledging),
    rst: row(close, [none, 'invalid']),
    none: row('invalid'),
  },
  reply: {
    syn: row('invalid', [synSent, synSent2], [timeWait, synSent], [synSent2, synSent2]),
    synAck: row('ignored', [none, 'invalid'], [synSent, synReceived], [synSent2, synReceived]),
    fin: row('invalid', ...closing),
    ack: row(
      'invalid',
      [synSent, 'ignored'],
      [synReceived, synReceived],
      [synSent2, 'ignored'],
      ...acknowledging,
    ),
    rst: row(close, [none, 'invalid']),
    none: row('invalid'),
  },
};

export function tcpTransition(state: number, direction: Direction, flags: number): Transition {
  if (isMalformed(flags)) return 'invalid';
  const { otherwise, from } = rows[direction][kindOf(flags)];
  return from?.get(state) ?? otherwise;
}

export const isReset = (flags: number): boolean => (flags & segment.rst) !== 0;
export const isPlainSyn = (flags: number): boolean => kindOf(flags) === 'syn';

function kindOf(flags: number): Kind {
  if ((flags & segment.rst) !== 0) return 'rst';
  if ((flags & segment.syn) !== 0) return (flags & segment.ack) !== 0 ? 'synAck' : 'syn';
  if ((flags & segment.fin) !== 0) return 'fin';
  return (flags & segment.ack) !== 0 ? 'ack' : 'none';
}

/** Combinations that no host sends: SYN with FIN or RST, FIN without ACK, nothing at all. */
function isMalformed(flags: number): boolean {
  const { fin, syn, rst, ack } = segment;
  const used = flags & (fin | syn | rst | ack);
  const allowed = [syn, syn | ack, rst, rst | ack, fin | ack, ack];
  return !allowed.includes(used);
}
