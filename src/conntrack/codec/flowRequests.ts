/**
 * Whole ctnetlink requests about one flow, written straight from a record. What the kernel accepts
 * is in docs/decisions/flow-injection.md: NAT only as a plain inverse reply tuple plus CTA_NAT_SRC
 * / CTA_NAT_DST with exact address and port; CONFIRMED in every status; both window scales with
 * their flags or none.
 */
import { encodeAttribute, encodeInverse, encodeMaster, encodeOriginal } from './flowEncoder.js';
import { attributeRows } from './attributeTable.js';
import {
  messageFlag,
  messageType,
  netlinkFamily,
  protocol,
  statusBit,
  tcpFlag,
  tcpState,
} from '../constants.js';
import {
  presenceBit,
  infoField,
  natKind,
  natOf,
  rareWord,
  addressRole,
  recordWord,
  type AddressRole,
  type FlowCursor,
} from '../record/flowRecord.js';
import type { MessageBatch } from './messageBatch.js';

/**
 * No request about one flow is longer: IPv6, NAT both ways, master, helper, labels, sequence
 * adjustment.
 */
export const largestRequest = 1024;

/** Which parts a create leaves out; after a refusal the injector tries again with less. */
export interface CreateOptions {
  /** Seconds, at least 1. */
  readonly timeoutSeconds: number;
  /** Trust the window scales of the record instead of making the windows liberal. */
  readonly windowTracking: boolean;
  readonly withoutHelper?: boolean;
  readonly withoutMaster?: boolean;
  /** Of an update: the flow's time stays as it is. */
  readonly keepsTime?: boolean;
}

/** nested attribute numbers of CTA_NAT_SRC and CTA_NAT_DST (enum ctattr_nat, ctattr_protonat). */
const nat = {
  source: 6,
  destination: 13,
  v4Min: 1,
  v4Max: 2,
  proto: 3,
  v6Min: 4,
  v6Max: 5,
  portMin: 1,
  portMax: 2,
} as const;

const familyOf = (flow: FlowCursor): number =>
  flow.isIpv6 ? netlinkFamily.ipv6 : netlinkFamily.ipv4;

/** IPCTNL_MSG_CT_NEW, CREATE | EXCL. `flags` adds NLM_F_ACK where it is wanted. */
export function encodeCreate(
  out: MessageBatch,
  flow: FlowCursor,
  sequence: number,
  options: CreateOptions,
  flags = 0,
): void {
  out.begin(
    messageType.flowNew,
    messageFlag.request | messageFlag.create | messageFlag.exclusive | flags,
    sequence,
    familyOf(flow),
  );
  encodeOriginal(out, flow);
  encodeInverse(out, flow);
  if (flow.knows(presenceBit.master) && options.withoutMaster !== true) encodeMaster(out, flow);
  encodeCreateStatus(out, flow);
  out.u32(attributeRows.timeout.number, Math.max(1, options.timeoutSeconds));
  encodeAttribute(out, attributeRows.mark, flow);
  encodeProtocolInfo(out, flow, options.windowTracking, 0xff);
  encodeNat(out, flow);
  encodeRareParts(out, flow);
  if (flow.knows(presenceBit.helper) && options.withoutHelper !== true) {
    encodeAttribute(out, attributeRows.help, flow);
  }
  encodeAttribute(out, attributeRows.zone, flow);
  out.finish();
}

/**
 * IPCTNL_MSG_CT_NEW without CREATE: status, timeout, mark, protocol info and rare parts, never NAT,
 * helper or master (EOPNOTSUPP). ENOENT where the flow is absent.
 */
export function encodeUpdate(
  out: MessageBatch,
  flow: FlowCursor,
  sequence: number,
  options: CreateOptions,
  flags = 0,
): void {
  out.begin(messageType.flowNew, messageFlag.request | flags, sequence, familyOf(flow));
  encodeOriginal(out, flow);
  if (flow.knows(presenceBit.status)) {
    out.u32(
      attributeRows.status.number,
      (flow.get(recordWord.status) & ~statusBit.dying) | statusBit.confirmed,
    );
  }
  if (options.keepsTime !== true) {
    out.u32(attributeRows.timeout.number, Math.max(1, options.timeoutSeconds));
  }
  encodeAttribute(out, attributeRows.mark, flow);
  encodeProtocolInfo(out, flow, options.windowTracking, tcpFlag.beLiberal);
  encodeRareParts(out, flow);
  encodeAttribute(out, attributeRows.zone, flow);
  out.finish();
}

/**
 * Makes the TCP windows of an existing flow liberal in both directions and changes nothing else; of
 * another protocol it changes nothing at all. ENOENT where no flow has this original tuple.
 */
export function encodeLiberalWindows(
  out: MessageBatch,
  flow: FlowCursor,
  sequence: number,
  flags = 0,
): void {
  out.begin(messageType.flowNew, messageFlag.request | flags, sequence, familyOf(flow));
  encodeOriginal(out, flow);
  if (flow.protocol === protocol.tcp) {
    const nest = out.openNest(attributeRows.protocolInfo.number);
    const tcp = out.openNest(1);
    out.flags(4, tcpFlag.beLiberal, tcpFlag.beLiberal);
    out.flags(5, tcpFlag.beLiberal, tcpFlag.beLiberal);
    out.closeNest(tcp);
    out.closeNest(nest);
  }
  encodeAttribute(out, attributeRows.zone, flow);
  out.finish();
}

/** IPCTNL_MSG_CT_DELETE of one flow; `withId` only where the kernel still has that very flow. */
export function encodeDelete(
  out: MessageBatch,
  flow: FlowCursor,
  sequence: number,
  withId = false,
  flags = 0,
): void {
  out.begin(messageType.flowDelete, messageFlag.request | flags, sequence, familyOf(flow));
  encodeOriginal(out, flow);
  encodeAttribute(out, attributeRows.zone, flow);
  if (withId) encodeAttribute(out, attributeRows.id, flow);
  out.finish();
}

/** IPCTNL_MSG_CT_GET of one flow, by its original tuple and zone. ENOENT where it is absent. */
export function encodeGet(out: MessageBatch, flow: FlowCursor, sequence: number): void {
  out.begin(messageType.flowGet, messageFlag.request, sequence, familyOf(flow));
  encodeOriginal(out, flow);
  encodeAttribute(out, attributeRows.zone, flow);
  out.finish();
}

/** What a dump by the kernel selects; absent selects all. */
export interface KernelSelection {
  readonly family?: number;
  readonly mark?: { readonly value: number; readonly mask: number };
  /** `mask` must not be 0. */
  readonly status?: { readonly value: number; readonly mask: number };
  readonly zone?: number;
}

/** IPCTNL_MSG_CT_GET with NLM_F_DUMP. */
export function encodeDump(
  out: MessageBatch,
  sequence: number,
  selection: KernelSelection = {},
): void {
  const flags = messageFlag.request | messageFlag.dump;
  out.begin(messageType.flowGet, flags, sequence, selection.family ?? netlinkFamily.any);
  encodeSelection(out, selection);
  out.finish();
}

function encodeSelection(out: MessageBatch, selection: KernelSelection): void {
  if (selection.mark !== undefined) {
    out.u32(attributeRows.mark.number, selection.mark.value);
    out.u32(21, selection.mark.mask);
  }
  if (selection.status !== undefined) {
    out.u32(attributeRows.status.number, selection.status.value);
    out.u32(26, selection.status.mask);
  }
  if (selection.zone !== undefined) out.u16(attributeRows.zone.number, selection.zone);
}

/**
 * EXPECTED comes from the master attribute, DYING is refused (EBUSY); the rest the kernel sorts
 * out.
 */
function encodeCreateStatus(out: MessageBatch, flow: FlowCursor): void {
  if (!flow.knows(presenceBit.status)) return;
  const refused = statusBit.expected | statusBit.dying;
  out.u32(
    attributeRows.status.number,
    (flow.get(recordWord.status) & ~refused) | statusBit.confirmed,
  );
}

function encodeProtocolInfo(
  out: MessageBatch,
  flow: FlowCursor,
  windowTracking: boolean,
  mask: number,
): void {
  if (flow.protocol === protocol.tcp) {
    encodeTcp(out, flow, windowTracking, mask);
    return;
  }
  // The kernel wants all three of SCTP or none (EINVAL).
  const needed =
    flow.protocol === protocol.sctp
      ? presenceBit.state | presenceBit.vtagOriginal | presenceBit.vtagReply
      : 0;
  if (flow.knows(needed)) encodeAttribute(out, attributeRows.protocolInfo, flow);
}

/**
 * State, scales and flags. Without the scales the tracker takes windows unscaled and calls the
 * packets of a busy flow INVALID, so a flow whose scales are unknown is liberal even where windows
 * are tracked.
 */
function encodeTcp(
  out: MessageBatch,
  flow: FlowCursor,
  windowTracking: boolean,
  mask: number,
): void {
  const packed = flow.get(recordWord.info);
  const state = packed & infoField.stateMask;
  const scales = hasScales(flow);
  const closing = state >= tcpState.timeWait && state !== tcpState.synSent2;
  const assumed =
    tcpFlag.selectiveAckPermitted |
    (scales ? tcpFlag.windowScale : 0) |
    (closing ? tcpFlag.closeInitiated : 0);
  const kept = tcpFlag.windowScale | tcpFlag.selectiveAckPermitted | tcpFlag.closeInitiated;
  const liberal = windowTracking && scales ? 0 : tcpFlag.beLiberal;
  const original = flow.knows(presenceBit.tcpFlagsOriginal)
    ? (packed >>> infoField.flagsOriginalShift) & kept
    : assumed;
  const reply = flow.knows(presenceBit.tcpFlagsReply)
    ? (packed >>> infoField.flagsReplyShift) & kept
    : assumed;
  const nest = out.openNest(attributeRows.protocolInfo.number);
  const tcp = out.openNest(1);
  if (flow.knows(presenceBit.state)) out.u8(1, state);
  if (scales) {
    out.u8(2, (packed >>> infoField.scaleOriginalShift) & 0xf);
    out.u8(3, (packed >>> infoField.scaleReplyShift) & 0xf);
  }
  out.flags(4, original | liberal, mask);
  out.flags(5, reply | liberal, mask);
  out.closeNest(tcp);
  out.closeNest(nest);
}

/** Both scales known, and no direction known to have gone without window scaling. */
function hasScales(flow: FlowCursor): boolean {
  if (!flow.knows(presenceBit.scaleOriginal | presenceBit.scaleReply)) return false;
  const packed = flow.get(recordWord.info);
  const offered = (bit: number, shift: number): boolean =>
    !flow.knows(bit) || ((packed >>> shift) & tcpFlag.windowScale) !== 0;
  return (
    offered(presenceBit.tcpFlagsOriginal, infoField.flagsOriginalShift) &&
    offered(presenceBit.tcpFlagsReply, infoField.flagsReplyShift)
  );
}

/**
 * The source is named too where the destination alone is translated: bound to nothing, it would get
 * a free port where the answers' tuple is taken, and not EEXIST.
 */
function encodeNat(out: MessageBatch, flow: FlowCursor): void {
  const kind = natOf(flow);
  if (kind === 0) return;
  const ports = flow.get(recordWord.replyPorts);
  const isIcmp = flow.protocol === protocol.icmp || flow.protocol === protocol.icmpv6;
  const sourcePort = isIcmp ? ports >>> 16 : ports;
  encodeNatNest(out, flow, nat.source, addressRole.replyDestination, sourcePort);
  if ((kind & natKind.destination) !== 0) {
    encodeNatNest(out, flow, nat.destination, addressRole.replySource, ports >>> 16);
  }
}

/**
 * Address and port always together: a port alone keeps the address, an address alone lets ports
 * change.
 */
function encodeNatNest(
  out: MessageBatch,
  flow: FlowCursor,
  type: number,
  address: AddressRole,
  port: number,
): void {
  const { isIpv6 } = flow;
  const nest = out.openNest(type);
  const words = isIpv6 ? flow.addresses : flow.words;
  const from = isIpv6
    ? flow.addressesAt + 4 * address
    : flow.at +
      (address === addressRole.replySource ? recordWord.replySource : recordWord.replyDestination);
  out.raw(isIpv6 ? nat.v6Min : nat.v4Min, words, from, isIpv6 ? 4 : 1);
  out.raw(isIpv6 ? nat.v6Max : nat.v4Max, words, from, isIpv6 ? 4 : 1);
  if (flow.knows(presenceBit.ports)) {
    const ports = out.openNest(nat.proto);
    out.u16(nat.portMin, port & 0xffff);
    out.u16(nat.portMax, port & 0xffff);
    out.closeNest(ports);
  }
  out.closeNest(nest);
}

const rareParts =
  presenceBit.sequenceOriginal |
  presenceBit.sequenceReply |
  presenceBit.labels |
  presenceBit.synproxy;

function encodeRareParts(out: MessageBatch, flow: FlowCursor): void {
  if ((flow.presence & rareParts) === 0) return;
  encodeAttribute(out, attributeRows.sequenceOriginal, flow);
  encodeAttribute(out, attributeRows.sequenceReply, flow);
  encodeAttribute(out, attributeRows.labels, flow);
  const synproxy = flow.getRare(rareWord.synproxy) | flow.getRare(rareWord.synproxy + 1);
  if (flow.knows(presenceBit.synproxy) && (synproxy | flow.getRare(rareWord.synproxy + 2)) !== 0) {
    encodeAttribute(out, attributeRows.synproxy, flow);
  }
}
