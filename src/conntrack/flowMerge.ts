/**
 * Copies what one record knows into another, as kernel UPDATE events and conntrackd's CT_UPD ask for: an
 * attribute that the source lacks keeps its value in the target (conntrackd 1.4.7; a TCP UPDATE of the
 * kernel may lack CTA_PROTOINFO).
 */
import {
  has,
  info,
  kind,
  rare,
  rarePresence,
  role,
  transientPresence,
  word,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from './flowRecord.js';

/** Attributes of the target that differ from the source's, new ones included, as presence bits. */
export type ChangedBits = number;

/** Single words that follow their presence bit. */
const plainWords = [
  [has.status, word.status],
  [has.timeout, word.timeout],
  [has.mark, word.mark],
  [has.id, word.id],
] as const;

const plainInfo = [
  [has.state, 0, info.stateMask],
  [has.tcpFlagsOriginal, info.flagsOriginalShift, 0xff],
  [has.tcpFlagsReply, info.flagsReplyShift, 0xff],
  [has.scaleOriginal, info.scaleOriginalShift, 0xf],
  [has.scaleReply, info.scaleReplyShift, 0xf],
  [has.dccpRole, info.roleShift, 0xff],
] as const;

/** Presence bit, first word and number of words in the rare record. */
const rareFields = [
  [has.labels, rare.labels, 4],
  [has.labels, rare.labelsLength, 1],
  [has.sequenceOriginal, rare.sequenceOriginal, 3],
  [has.sequenceReply, rare.sequenceReply, 3],
  [has.synproxy, rare.synproxy, 3],
  [has.vtagOriginal, rare.vtagOriginal, 1],
  [has.vtagReply, rare.vtagReply, 1],
  [has.dccpHandshake, rare.dccpHandshake, 2],
  [has.helper, rare.helper, 1],
  [has.securityContext, rare.securityContext, 1],
  [has.securityMark, rare.securityMark, 1],
  [has.master, rare.masterKind, 1],
  [has.masterPorts, rare.masterPorts, 1],
  [has.master, rare.masterSource, 8],
] as const;

const infoPresence =
  has.state |
  has.tcpFlagsOriginal |
  has.tcpFlagsReply |
  has.scaleOriginal |
  has.scaleReply |
  has.dccpRole;

/** Whether `source` has something that needs a rare record in a table. */
export function needsRareRecord(source: FlowCursor): boolean {
  const bits = source.presence & rarePresence;
  if (bits === 0) return false;
  if (bits !== has.synproxy) return true;
  return (
    (source.getRare(rare.synproxy) |
      source.getRare(rare.synproxy + 1) |
      source.getRare(rare.synproxy + 2)) !==
    0
  );
}

/** Merges all attributes that `source` knows and a table holds; the key is not touched. */
export function mergeFlow(target: FlowCursor, source: FlowCursor): ChangedBits {
  const bits = source.presence & ~transientPresence;
  let changed = bits & ~target.presence;
  for (const [bit, field] of plainWords) {
    if ((bits & bit) !== 0 && replaceWord(target.words, target.at + field, source.get(field))) {
      changed |= bit;
    }
  }
  if ((bits & infoPresence) !== 0) changed |= mergeInfo(target, source, bits);
  if ((bits & has.reply) !== 0 && mergeReply(target, source)) changed |= has.reply;
  if ((bits & has.zone) !== 0) mergeZoneScope(target, source);
  if ((bits & rarePresence) !== 0 && needsRareRecord(source)) {
    changed |= mergeRare(target, source, bits);
  }
  target.learn(bits);
  return changed;
}

/** Copies both tuples, the zone and the family; for a record that is new. */
export function copyKeyAndReply(target: FlowCursor, source: FlowCursor): void {
  target.setKind(source.isIpv6, source.protocol);
  target.set(word.originalPorts, source.get(word.originalPorts));
  target.set(word.zone, source.get(word.zone));
  copyAddress(target, source, role.originalSource);
  copyAddress(target, source, role.originalDestination);
  mergeReply(target, source);
}

function mergeReply(target: FlowCursor, source: FlowCursor): boolean {
  const a = copyAddress(target, source, role.replySource);
  const b = copyAddress(target, source, role.replyDestination);
  const c = replaceWord(target.words, target.at + word.replyPorts, source.get(word.replyPorts));
  return a || b || c;
}

function copyAddress(target: FlowCursor, source: FlowCursor, which: AddressRole): boolean {
  const parts = (source.get(word.kind) & kind.ipv6) === 0 ? 1 : 4;
  let differed = false;
  for (let i = 0; i < parts; i++) {
    const value = source.addressWord(which, i);
    if (target.addressWord(which, i) === value) continue;
    target.setAddressWord(which, i, value);
    differed = true;
  }
  return differed;
}

/** The key's zone is equal by construction; the scope of a zone in the reply direction may be news. */
function mergeZoneScope(target: FlowCursor, source: FlowCursor): void {
  const zone = source.get(word.zone);
  if ((zone & zoneScope.mask) !== zoneScope.both || target.keyZone === (zone & 0xffff)) {
    target.set(word.zone, zone);
  }
}

function mergeInfo(target: FlowCursor, source: FlowCursor, bits: number): ChangedBits {
  let changed = 0;
  const incoming = source.get(word.info);
  const at = target.at + word.info;
  for (const [bit, shift, mask] of plainInfo) {
    if ((bits & bit) === 0) continue;
    const place = mask << shift;
    const before = target.words[at]!;
    if (replaceWord(target.words, at, (before & ~place) | (incoming & place))) changed |= bit;
  }
  return changed;
}

function mergeRare(target: FlowCursor, source: FlowCursor, bits: number): ChangedBits {
  let changed = 0;
  for (const [bit, first, length] of rareFields) {
    if ((bits & bit) === 0) continue;
    for (let i = 0; i < length; i++) {
      const value = source.getRare(first + i);
      if (replaceWord(target.rare, target.rareAt + first + i, value)) changed |= bit;
    }
  }
  return changed;
}

/** True where the word was different. `value` may be signed: compared as 32 bits. */
function replaceWord(words: Uint32Array, at: number, value: number): boolean {
  if (words[at] === value >>> 0) return false;
  words[at] = value;
  return true;
}
