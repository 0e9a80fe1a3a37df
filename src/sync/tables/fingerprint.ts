/**
 * A number over everything that a cache replicates, independent of order: the sum of one hash per
 * flow. Kept up to date by subtracting a flow's hash before a change and adding it after. Both ends
 * compute it over the same fields, those that travel: tuple, zone, status, protocol state, mark,
 * translation, and the rare ones. Left out: timeouts, which age, and window scales, which depend on
 * a setting.
 */
import { protocol, statusBit } from '../../conntrack/constants.js';
import { hashKey } from '../../conntrack/record/flowKey.js';
import {
  presenceBit,
  rareWord,
  rarePresence,
  addressRole,
  sameAddress,
  recordWord,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import { hasLabels } from '../wire/flowWriter.js';

const seed = 0x6b73_6670;
const hashedRare =
  presenceBit.master |
  presenceBit.helper |
  presenceBit.labels |
  presenceBit.sequenceOriginal |
  presenceBit.sequenceReply;

const translatesPorts = new Set<number>([
  protocol.tcp,
  protocol.udp,
  protocol.udplite,
  protocol.sctp,
  protocol.dccp,
]);

/** 32 bits, the same on both ends for the same replicated flow. */
function replicatedHash(flow: FlowCursor): number {
  const { presence } = flow;
  let hash = hashKey(flow, seed);
  const status = (presence & presenceBit.status) === 0 ? 0 : flow.get(recordWord.status);
  hash = mix(hash, status);
  if ((presence & presenceBit.state) !== 0) hash = mix(hash, flow.state + 1);
  if ((presence & presenceBit.mark) !== 0) hash = mix(hash, flow.get(recordWord.mark));
  if ((status & statusBit.sourceNatDone) !== 0) {
    hash = mixTranslation(hash, flow, addressRole.replyDestination, addressRole.originalSource, 0);
  }
  if ((status & statusBit.destinationNatDone) !== 0) {
    hash = mixTranslation(hash, flow, addressRole.replySource, addressRole.originalDestination, 16);
  }
  if ((presence & rarePresence & hashedRare) !== 0) hash = mixRare(hash, flow);
  return hash >>> 0;
}

/** Ports of ICMP and of protocols without ports do not travel. */
function mixTranslation(
  start: number,
  flow: FlowCursor,
  translated: typeof addressRole.replyDestination | typeof addressRole.replySource,
  plain: typeof addressRole.originalSource | typeof addressRole.originalDestination,
  shift: number,
): number {
  let hash = start;
  if (!sameAddress(flow, translated, plain)) {
    const parts = flow.isIpv6 ? 4 : 1;
    for (let i = 0; i < parts; i++) hash = mix(hash, flow.addressWord(translated, i) ^ shift);
  }
  if (translatesPorts.has(flow.protocol)) {
    hash = mix(hash, (flow.get(recordWord.replyPorts) >>> shift) & 0xffff);
  }
  return hash;
}

function mixRare(start: number, flow: FlowCursor): number {
  let hash = start;
  if (flow.knows(presenceBit.sequenceOriginal | presenceBit.sequenceReply)) {
    for (let i = 0; i < 6; i++) hash = mix(hash, flow.getRare(rareWord.sequenceOriginal + i));
  }
  if (flow.knows(presenceBit.labels) && hasLabels(flow)) {
    for (let i = 0; i < 4; i++) hash = mix(hash, flow.getRare(rareWord.labels + i));
  }
  if (flow.knows(presenceBit.helper)) {
    const name = flow.names.bytes(flow.getRare(rareWord.helper));
    if (name.length <= 11) for (const byte of name) hash = mix(hash, byte);
  }
  if (flow.knows(presenceBit.master)) {
    hash = mix(hash, flow.getRare(rareWord.masterKind));
    if (flow.knows(presenceBit.masterPorts)) hash = mix(hash, flow.getRare(rareWord.masterPorts));
    for (let i = 0; i < 8; i++) hash = mix(hash, flow.getRare(rareWord.masterSource + i));
  }
  return hash;
}

/** One round of MurmurHash3. */
function mix(h: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = h ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Count and fingerprint of one cache. */
export class Fingerprint {
  #low = 0;
  #high = 0;

  /** 64 bits as two unsigned words, high first: the sum of h and the sum of a second hash of h. */
  get words(): readonly [number, number] {
    return [this.#high >>> 0, this.#low >>> 0];
  }

  add(flow: FlowCursor): void {
    const hash = replicatedHash(flow);
    this.#low = (this.#low + hash) | 0;
    this.#high = (this.#high + Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) | 0;
  }

  subtract(flow: FlowCursor): void {
    const hash = replicatedHash(flow);
    this.#low = (this.#low - hash) | 0;
    this.#high = (this.#high - Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) | 0;
  }

  reset(): void {
    this.#low = 0;
    this.#high = 0;
  }
}
