/**
 * What a packet does to the flow that it belongs to, by protocol: state, timeout, ASSURED. The
 * timeouts are those of net.netfilter.nf_conntrack_*.
 */
import { protocol, statusBit, tcpFlag, tcpState } from '../../../src/conntrack/constants.js';
import { eventBit } from './eventBits.js';
import type { Flow } from './flow.js';
import type { ConntrackSysctls, ConntrackTimeouts, Packet } from './kernelPorts.js';
import { isPlainSyn, isReset, segment, tcpTransition, type Direction } from './tcpTracking.js';
import { beginsIcmpFlow } from './tuple.js';

/** A UDP flow is a stream when an answer comes this long after its beginning. */
const streamAfter = 2_000_000;
/** IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED. */
const dataUnacknowledged = 0x10;

/**
 * `renew`: the flow is over and the packet begins another one; `end`: the flow ends, the packet
 * passes.
 */
export type Tracked =
  | {
      readonly kind: 'tracked';
      readonly timeoutSeconds: number | undefined;
      readonly events: number;
    }
  | { readonly kind: 'invalid' | 'renew' | 'end' };

const invalid: Tracked = { kind: 'invalid' };

/** The first packet of a flow, or one more of it. `isNew`: the flow is not in the table yet. */
export function track(
  flow: Flow,
  packet: Packet,
  direction: Direction,
  isNew: boolean,
  now: number,
  sysctls: ConntrackSysctls,
): Tracked {
  const { timeouts } = sysctls;
  switch (flow.original.protocol) {
    case protocol.tcp:
      return trackTcp(flow, packet, direction, isNew, sysctls);
    case protocol.udp:
    case protocol.udplite:
      return trackUdp(flow, isNew, now, timeouts);
    case protocol.icmp:
    case protocol.icmpv6:
      if (isNew && !beginsIcmpFlow(packet.tuple)) return invalid;
      return { kind: 'tracked', timeoutSeconds: timeouts.icmp, events: 0 };
    case protocol.gre:
      return trackGre(flow, timeouts);
    default:
      return { kind: 'tracked', timeoutSeconds: timeouts.generic, events: 0 };
  }
}

function trackUdp(flow: Flow, isNew: boolean, now: number, timeouts: ConntrackTimeouts): Tracked {
  if (isNew) flow.streamsFrom = now + streamAfter;
  if (!flow.has(statusBit.seenReply) || now <= flow.streamsFrom) {
    return { kind: 'tracked', timeoutSeconds: timeouts.udp, events: 0 };
  }
  return { kind: 'tracked', timeoutSeconds: timeouts.udpStream, events: assure(flow) };
}

function trackGre(flow: Flow, timeouts: ConntrackTimeouts): Tracked {
  if (!flow.has(statusBit.seenReply)) {
    return { kind: 'tracked', timeoutSeconds: timeouts.gre, events: 0 };
  }
  return { kind: 'tracked', timeoutSeconds: timeouts.greStream, events: assure(flow) };
}

function trackTcp(
  flow: Flow,
  packet: Packet,
  direction: Direction,
  isNew: boolean,
  sysctls: ConntrackSysctls,
): Tracked {
  const { tcp } = flow;
  const flags = packet.tcpFlags ?? 0;
  if (tcp === undefined) return invalid;
  const before = tcp.state;
  const next = tcpTransition(before, direction, flags);
  if (next === 'invalid') return invalid;
  if (isNew && next !== tcpState.synSent) {
    if (!sysctls.tcpLoose) return invalid;
    const picked = tcpFlag.selectiveAckPermitted | tcpFlag.beLiberal;
    tcp.flags[0] = picked;
    tcp.flags[1] = picked;
  }
  const side = direction === 'original' ? 0 : 1;
  const isReopening =
    !isNew && next === tcpState.synSent && before >= tcpState.timeWait && isPlainSyn(flags);
  if (isReopening && mayBeginAnew(flow)) return { kind: 'renew' };
  // A repeated SYN gives its flow no more time.
  const isRepeated = !isNew && before === tcpState.synSent && next === tcpState.synSent;
  if (isRepeated) return { kind: 'tracked', timeoutSeconds: undefined, events: 0 };
  if (next === 'ignored' || isReopening) return trackIgnored(flow, packet, side, sysctls);
  const isLiberal = sysctls.tcpBeLiberal || (tcp.flags[side] & tcpFlag.beLiberal) !== 0;
  if (packet.isOutOfWindow === true && !isLiberal) return invalid;
  return advance(flow, packet, side, next, sysctls);
}

function advance(
  flow: Flow,
  packet: Packet,
  side: 0 | 1,
  next: number,
  sysctls: ConntrackSysctls,
): Tracked {
  const { tcp } = flow;
  if (tcp === undefined) return invalid;
  const flags = packet.tcpFlags ?? 0;
  const before = tcp.state;
  tcp.ignoredSyn = undefined;
  tcp.lastWasOriginalReset = side === 0 && isReset(flags);
  tcp.state = next;
  if (next === tcpState.finWait && before !== next) tcp.flags[side] |= tcpFlag.closeInitiated;
  learnOptions(flow, packet, side);
  if (packet.isOutOfWindow !== true) noteAcknowledgement(flow, packet, side);
  return settle(flow, flags, before, next, sysctls.timeouts);
}

/**
 * The packet passes and changes nothing. But a SYN that seemed out of place and is answered by a
 * SYN-ACK was the beginning of another connection between the same ports.
 */
function trackIgnored(flow: Flow, packet: Packet, side: 0 | 1, sysctls: ConntrackSysctls): Tracked {
  const { tcp } = flow;
  if (tcp === undefined) return invalid;
  const flags = packet.tcpFlags ?? 0;
  const { ignoredSyn } = tcp;
  if (!isPlainSyn(flags) && ignoredSyn !== undefined && ignoredSyn.side !== side) {
    tcp.flags[ignoredSyn.side] = ignoredSyn.flags;
    tcp.scales[ignoredSyn.side] = ignoredSyn.scale;
    return advance(flow, packet, side, tcpState.synReceived, sysctls);
  }
  tcp.lastWasOriginalReset = false;
  tcp.ignoredSyn = isPlainSyn(flags)
    ? { side, flags: offeredFlags(packet), scale: packet.windowScale ?? 0 }
    : undefined;
  return { kind: 'tracked', timeoutSeconds: undefined, events: 0 };
}

/** A connection that was closed, or aborted by its client, may be opened again at once. */
function mayBeginAnew({ tcp }: Flow): boolean {
  if (tcp === undefined || tcp.state < tcpState.timeWait || tcp.state === tcpState.synSent2) {
    return false;
  }
  const closed = ((tcp.flags[0] | tcp.flags[1]) & tcpFlag.closeInitiated) !== 0;
  return closed || tcp.lastWasOriginalReset;
}

/** SYN and SYN-ACK say what each side offers; of what was there before only BE_LIBERAL stays. */
function learnOptions({ tcp }: Flow, packet: Packet, side: 0 | 1): void {
  const flags = packet.tcpFlags ?? 0;
  if (tcp === undefined || (flags & segment.syn) === 0) return;
  tcp.flags[side] = (tcp.flags[side] & tcpFlag.beLiberal) | offeredFlags(packet);
  tcp.scales[side] = packet.windowScale ?? 0;
  // Both offer scaling, or nobody scales.
  if (side === 1 && (tcp.flags[0] & tcp.flags[1] & tcpFlag.windowScale) === 0) {
    tcp.scales[0] = 0;
    tcp.scales[1] = 0;
  }
}

/** IP_CT_TCP_FLAG_* of the options of a SYN. */
function offeredFlags({ windowScale, permitsSelectiveAck }: Packet): number {
  return (
    (windowScale === undefined ? 0 : tcpFlag.windowScale) |
    (permitsSelectiveAck === true ? tcpFlag.selectiveAckPermitted : 0)
  );
}

/**
 * FIN and data wait until the other side acknowledges them; the first segment of a side, whatever
 * it is, is where counting begins.
 */
function noteAcknowledgement({ tcp }: Flow, packet: Packet, side: 0 | 1): void {
  if (tcp === undefined) return;
  const flags = packet.tcpFlags ?? 0;
  const isSent = packet.hasData === true || (flags & (segment.syn | segment.fin)) !== 0;
  if (isSent && tcp.hasPassed[side]) tcp.flags[side] |= dataUnacknowledged;
  tcp.hasPassed[side] = true;
  if ((flags & segment.ack) !== 0) tcp.flags[side === 0 ? 1 : 0] &= ~dataUnacknowledged;
}

function settle(
  flow: Flow,
  flags: number,
  before: number,
  next: number,
  timeouts: ConntrackTimeouts,
): Tracked {
  const { tcp } = flow;
  let events = before === next ? 0 : eventBit.protocolInfo;
  let timeoutSeconds = isReset(flags) ? timeouts.tcpClose : tcpTimeout(next, timeouts);
  if (tcp !== undefined && ((tcp.flags[0] | tcp.flags[1]) & dataUnacknowledged) !== 0) {
    timeoutSeconds = Math.min(timeoutSeconds, timeouts.tcpUnacknowledged);
  }
  if (!flow.has(statusBit.seenReply)) {
    // The only answer was an RST: there was no connection.
    if (isReset(flags)) return { kind: 'end' };
    if (next === tcpState.established) {
      timeoutSeconds = Math.min(timeoutSeconds, timeouts.tcpUnacknowledged);
    }
  } else if (
    next === tcpState.established &&
    (before === tcpState.synReceived || before === tcpState.established)
  ) {
    events |= assure(flow);
  }
  return { kind: 'tracked', timeoutSeconds, events };
}

function assure(flow: Flow): number {
  if (flow.has(statusBit.assured)) return 0;
  flow.status |= statusBit.assured;
  return eventBit.assured;
}

/** Seconds that a state lasts without a packet. */
export function tcpTimeout(state: number, timeouts: ConntrackTimeouts): number {
  switch (state) {
    case tcpState.synReceived:
      return timeouts.tcpSynReceived;
    case tcpState.established:
      return timeouts.tcpEstablished;
    case tcpState.finWait:
      return timeouts.tcpFinWait;
    case tcpState.closeWait:
      return timeouts.tcpCloseWait;
    case tcpState.lastAck:
      return timeouts.tcpLastAck;
    case tcpState.timeWait:
      return timeouts.tcpTimeWait;
    case tcpState.close:
      return timeouts.tcpClose;
    default:
      return timeouts.tcpSynSent;
  }
}
