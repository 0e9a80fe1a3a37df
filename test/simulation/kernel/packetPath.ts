/**
 * A packet on its way through a node: tracked, translated, judged by the rules, and, where it was
 * the first of its flow, the flow inserted on the way out. A flow whose first packet is dropped
 * never was in the table.
 *
 *   prerouting: find or begin a flow, destination NAT -> forward or input: the rules
 *     -> postrouting: source NAT -> insertion (NEW)
 */
import { statusBit } from '../../../src/conntrack/constants.js';
import type { RandomSource } from '../../../src/base/time.js';
import type { Conntrack } from './conntrack.js';
import { eventBit } from './eventBits.js';
import { Flow } from './flow.js';
import type {
  ConntrackSysctls,
  NatMapping,
  Packet,
  Ruleset,
  TrackingState,
  Tuple,
  Verdict,
} from './kernelPorts.js';
import { mapTuple, type Manipulation } from './natMapping.js';
import { track } from './protocolTracking.js';
import type { Direction } from './tcpTracking.js';
import { inverseOf, isIcmp, sameTuple, tupleKey } from './tuple.js';

const { sourceNat, destinationNat } = statusBit;
const eitherNat = sourceNat | destinationNat;
const microsecondsPerSecond = 1_000_000;

export interface PacketPathParts {
  readonly conntrack: Conntrack;
  readonly random: RandomSource;
  readonly sysctls: ConntrackSysctls;
  readonly rules: () => Ruleset;
  /** The packet is for the node itself. */
  readonly isLocal: (address: string) => boolean;
}

/** A packet with the flow that it belongs to; `flow` is undefined where it is INVALID. */
interface Tracked {
  readonly packet: Packet;
  readonly flow: Flow | undefined;
  readonly direction: Direction;
  readonly isNew: boolean;
  readonly events: number;
}

export class PacketPath {
  readonly #parts: PacketPathParts;

  constructor(parts: PacketPathParts) {
    this.#parts = parts;
  }

  pass(packet: Packet): Verdict {
    const tracked = this.#track(packet);
    if (tracked === 'full') return { kind: 'dropped', because: 'tableFull', state: 'NEW' };
    const { flow, direction, isNew } = tracked;
    const state = stateOf(tracked);
    if (flow === undefined) return this.#judge(packet, packet.tuple, state, direction);
    const before = isNew
      ? this.#translateDestination(flow, packet)
      : this.#translated(flow, packet.tuple, direction);
    const isLocal = this.#parts.isLocal(before.destination);
    if (!this.#accepts(packet, before, state, isLocal, direction)) {
      if (isNew) this.#parts.conntrack.store.release(flow);
      else this.#parts.conntrack.tell(flow, tracked.events, 0);
      return { kind: 'dropped', because: 'ruleset', state };
    }
    if (isNew) return this.#confirm(flow, packet, isLocal, tracked.events);
    this.#parts.conntrack.tell(flow, tracked.events, 0);
    return { kind: isLocal ? 'local' : 'forwarded', tuple: before, state, direction };
  }

  #track(packet: Packet): Tracked | 'full' {
    const { conntrack, sysctls } = this.#parts;
    const flow = conntrack.find(tupleKey(packet.tuple, 0));
    if (flow === undefined) return this.#begin(packet);
    const isOriginal = sameTuple(flow.original, packet.tuple);
    const direction: Direction = isOriginal ? 'original' : 'reply';
    const result = track(flow, packet, direction, false, conntrack.now, sysctls);
    switch (result.kind) {
      case 'renew':
        conntrack.delete(flow, 0);
        return this.#track(packet);
      case 'end':
        conntrack.delete(flow, 0);
        return { packet, flow, direction, isNew: false, events: 0 };
      case 'invalid':
        return { packet, flow: undefined, direction, isNew: false, events: 0 };
      case 'tracked': {
        const { timeoutSeconds } = result;
        if (timeoutSeconds !== undefined && !flow.has(statusBit.fixedTimeout)) {
          conntrack.refresh(flow, conntrack.now + timeoutSeconds * microsecondsPerSecond);
        }
        const events = result.events | (direction === 'reply' ? seeReply(flow) : 0);
        return { packet, flow, direction, isNew: false, events };
      }
    }
  }

  #begin(packet: Packet): Tracked | 'full' {
    const { conntrack, sysctls } = this.#parts;
    const place = conntrack.allocate();
    if (place === undefined) return 'full';
    const flow = new Flow({
      original: packet.tuple,
      reply: inverseOf(packet.tuple),
      zone: 0,
      zoneScope: 'both',
      ...place,
      hasEvents: conntrack.makesEvents(),
    });
    const result = track(flow, packet, 'original', true, conntrack.now, sysctls);
    if (result.kind !== 'tracked') {
      conntrack.store.release(flow);
      return { packet, flow: undefined, direction: 'original', isNew: false, events: 0 };
    }
    flow.expiresAt = conntrack.now + (result.timeoutSeconds ?? 0) * microsecondsPerSecond;
    return { packet, flow, direction: 'original', isNew: true, events: result.events };
  }

  /** INVALID: nothing is translated, and the rules decide. */
  #judge(packet: Packet, tuple: Tuple, state: TrackingState, direction: Direction): Verdict {
    const isLocal = this.#parts.isLocal(tuple.destination);
    if (!this.#accepts(packet, tuple, state, isLocal, direction)) {
      return { kind: 'dropped', because: 'ruleset', state };
    }
    return { kind: isLocal ? 'local' : 'forwarded', tuple, state, direction };
  }

  #accepts(
    packet: Packet,
    tuple: Tuple,
    state: TrackingState,
    isLocal: boolean,
    direction: Direction,
  ): boolean {
    const seen: Packet = packet.tuple === tuple ? packet : { ...packet, tuple };
    return this.#parts.rules().accepts(seen, state, isLocal ? 'input' : 'forward', direction);
  }

  #translateDestination(flow: Flow, packet: Packet): Tuple {
    const mapping = this.#parts.rules().destinationNat(packet);
    if (mapping !== undefined) this.#translate(flow, 'destination', mapping);
    return inverseOf(flow.reply);
  }

  #confirm(flow: Flow, packet: Packet, isLocal: boolean, events: number): Verdict {
    const { conntrack } = this.#parts;
    const rules = this.#parts.rules();
    const hasNatChains = rules.hasNatChains !== false;
    if (!isLocal) {
      const mapping = rules.sourceNat({ ...packet, tuple: inverseOf(flow.reply) });
      if (mapping !== undefined) {
        this.#translate(flow, 'source', mapping);
        flow.masqueradeInterface = mapping.masqueradeInterface;
      } else if (hasNatChains && this.#isTaken(flow)) {
        this.#translate(flow, 'source', { address: inverseOf(flow.reply).source });
      }
    } else if (hasNatChains && this.#isTaken(flow)) {
      this.#translate(flow, 'source', { address: flow.original.source });
    }
    if (hasNatChains) flow.status |= statusBit.sourceNatDone | statusBit.destinationNatDone;
    if (!conntrack.insert(flow)) {
      conntrack.store.release(flow);
      return { kind: 'dropped', because: 'clash', state: 'NEW' };
    }
    conntrack.tell(flow, events | (flow.master === undefined ? eventBit.new : eventBit.related), 0);
    const tuple = inverseOf(flow.reply);
    return { kind: isLocal ? 'local' : 'forwarded', tuple, state: 'NEW', direction: 'original' };
  }

  /** The packet as it leaves. Only what the status names is translated, whatever the tuples say. */
  #translated({ original, reply, status }: Flow, tuple: Tuple, direction: Direction): Tuple {
    if ((status & eitherNat) === 0 || this.#parts.rules().hasNatChains === false) return tuple;
    const isOriginal = direction === 'original';
    const leaving = inverseOf(isOriginal ? reply : original);
    const changesSource = (status & (isOriginal ? sourceNat : destinationNat)) !== 0;
    const changesDestination = (status & (isOriginal ? destinationNat : sourceNat)) !== 0;
    const { protocol, source, sourcePort, destination, destinationPort } = tuple;
    // Of ICMP the id stands where the source port does, in both directions.
    const takesSourcePort = changesSource || isIcmp(protocol);
    return {
      protocol,
      source: changesSource ? leaving.source : source,
      sourcePort: takesSourcePort ? leaving.sourcePort : sourcePort,
      destination: changesDestination ? leaving.destination : destination,
      destinationPort: changesDestination ? leaving.destinationPort : destinationPort,
    };
  }

  #isTaken(flow: Flow): boolean {
    return this.#parts.conntrack.find(flow.replyKey) !== undefined;
  }

  #translate(flow: Flow, manipulation: Manipulation, mapping: NatMapping): void {
    const { conntrack, random } = this.#parts;
    applyMapping(conntrack, random, flow, manipulation, mapping);
  }
}

/** Changes the reply tuple of a flow that is not in the table yet, and says so in its status. */
export function applyMapping(
  conntrack: Conntrack,
  random: RandomSource,
  flow: Flow,
  manipulation: Manipulation,
  mapping: NatMapping,
): void {
  const before = inverseOf(flow.reply);
  const after = mapTuple(conntrack, random, before, flow.zoneOf('reply'), manipulation, mapping);
  if (sameTuple(before, after)) return;
  flow.setReply(inverseOf(after));
  flow.status |= manipulation === 'source' ? statusBit.sourceNat : statusBit.destinationNat;
}

function stateOf({ flow, direction }: Tracked): TrackingState {
  if (flow === undefined) return 'INVALID';
  if (direction === 'reply' || flow.has(statusBit.seenReply)) return 'ESTABLISHED';
  return flow.has(statusBit.expected) ? 'RELATED' : 'NEW';
}

function seeReply(flow: Flow): number {
  if (flow.has(statusBit.seenReply)) return 0;
  flow.status |= statusBit.seenReply;
  return eventBit.reply;
}
