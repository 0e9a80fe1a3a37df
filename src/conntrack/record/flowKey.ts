/**
 * The key of a flow: family, protocol, zone of the original direction, original addresses and
 * ports. The kernel's id is no part of it, as in conntrackd 1.4.7: the peer does not know ours.
 */
import { kindField, recordWord, type FlowCursor } from './flowRecord.js';

const { imul } = Math;
const keyKind = kindField.ipv6 | kindField.protocolMask;

/** 32 bits, well mixed; `seed` keeps outsiders from choosing colliding tuples. */
export function hashKey(flow: FlowCursor, seed: number): number {
  const { words, at } = flow;
  const kindWord = words[at + recordWord.kind]!;
  let h = mix(seed, (kindWord & keyKind) | (flow.keyZone << 9));
  h = mix(h, words[at + recordWord.originalPorts]!);
  if ((kindWord & kindField.ipv6) === 0) {
    h = mix(h, words[at + recordWord.originalSource]!);
    h = mix(h, words[at + recordWord.originalDestination]!);
  } else {
    const { addresses, addressesAt } = flow;
    for (let i = 0; i < 8; i++) h = mix(h, addresses[addressesAt + i]!);
  }
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function sameKey(a: FlowCursor, b: FlowCursor): boolean {
  const kindOfA = a.words[a.at + recordWord.kind]!;
  if (((kindOfA ^ b.words[b.at + recordWord.kind]!) & keyKind) !== 0) return false;
  if (a.words[a.at + recordWord.originalPorts] !== b.words[b.at + recordWord.originalPorts])
    return false;
  if ((kindOfA & kindField.ipv6) === 0) {
    if (a.words[a.at + recordWord.originalSource] !== b.words[b.at + recordWord.originalSource])
      return false;
    if (
      a.words[a.at + recordWord.originalDestination] !==
      b.words[b.at + recordWord.originalDestination]
    ) {
      return false;
    }
  } else {
    for (let i = 0; i < 8; i++) {
      if (a.addresses[a.addressesAt + i] !== b.addresses[b.addressesAt + i]) return false;
    }
  }
  return a.keyZone === b.keyZone;
}

/** One round of MurmurHash3. */
function mix(h: number, value: number): number {
  let k = imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = h ^ imul(k, 0x1b873593);
  return (imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
