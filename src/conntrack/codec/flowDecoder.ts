/**
 * ctnetlink message bytes -> flow record, by interpreting the attribute table. No allocation per
 * message. Errors: DecodeError (`truncated`, `tuple-missing`, `family`); unknown attributes are
 * skipped and counted.
 */
import { DecodeError } from '../../base/errors.js';
import {
  attributeForm,
  attributeStore,
  tupleKind,
  type AttributeNest,
  type AttributeRow,
} from './attributeRow.js';
import { attributeRows, flowAttributes } from './attributeTable.js';
import { netlinkFamily } from '../constants.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  infoField,
  kindField,
  rareWord,
  addressRole,
  recordWord,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../record/flowRecord.js';
import { checkedLength, decodeTuple, decodeTuplesFast, need, TupleFields } from './tupleCodec.js';

/** nlmsghdr and nfgenmsg. */
const messageHeaderLength = 20;

export class FlowDecoder {
  /** Attributes that the table does not name, since the start. */
  unknownAttributes = 0;
  readonly #tuple = new TupleFields();
  /** Counts the original tuples of the current message. */
  #originals = 0;

  /**
   * Decodes one message, `at` being the offset of its nlmsghdr and `length` its nlmsg_len, into a
   * scratch record, which is cleared first. `view` covers at least [at, at + length).
   */
  decode(view: DataView, at: number, length: number, flow: FlowCursor): void {
    if (length < messageHeaderLength || at + length > view.byteLength) {
      throw new DecodeError('truncated', 'ctnetlink message is shorter than its headers', {
        length,
      });
    }
    const family = view.getUint8(at + 16);
    if (family !== netlinkFamily.ipv4 && family !== netlinkFamily.ipv6) {
      throw new DecodeError('family', `flow of address family ${family}`, { family });
    }
    clearScratch(flow);
    flow.setKind(family === netlinkFamily.ipv6, 0);
    const start = at + messageHeaderLength;
    const end = at + length;
    const tuples = flow.isIpv6 ? start : decodeTuplesFast(view, start, end, flow);
    this.#originals = tuples === start ? 0 : 1;
    const rest = decodeUsual(view, tuples, end, flow);
    if (rest < end) this.#nest(flowAttributes, view, rest, end, flow);
    if (this.#originals < 1) {
      throw new DecodeError('tuple-missing', 'flow without a complete original tuple');
    }
    if (!flow.knows(presenceBit.reply)) deriveReply(flow);
  }

  #nest(nest: AttributeNest, view: DataView, from: number, end: number, flow: FlowCursor): void {
    let at = from;
    while (at + 4 <= end) {
      const length = checkedLength(view, at, end);
      const row = nest.byNumber[view.getUint16(at + 2, true) & 0x3fff];
      if (row === undefined) this.unknownAttributes++;
      else this.#attribute(row, view, at, length, flow);
      at += (length + 3) & ~3;
    }
  }

  #attribute(
    row: AttributeRow,
    view: DataView,
    at: number,
    length: number,
    flow: FlowCursor,
  ): void {
    switch (row.form) {
      case attributeForm.u32:
        this.#put32(row, view.getUint32(need(at, length, 4)), flow);
        break;
      case attributeForm.u8:
        flow.setInfo(row.place, row.mask, view.getUint8(need(at, length, 1)));
        break;
      case attributeForm.flags:
        flow.setInfo(row.place, row.mask, view.getUint8(need(at, length, 2)));
        break;
      case attributeForm.nest:
        if (row === attributeRows.protocolInfo && decodeTcpFast(view, at, length, flow)) return;
        for (let i = 0; i < row.mask; i++) flow.setRare(row.place + i, 0);
        this.#nest(row.nest!, view, at + 4, at + length, flow);
        return;
      case attributeForm.tuple:
        this.#tupleAttribute(row.place, view, at + 4, at + length, flow);
        return;
      case attributeForm.u64:
        flow.setRare(row.place, view.getUint32(need(at, length, 8)));
        flow.setRare(row.place + 1, view.getUint32(at + 8));
        break;
      case attributeForm.zone:
        flow.set(recordWord.zone, view.getUint16(need(at, length, 2)) | zoneScope.both);
        break;
      case attributeForm.text:
        flow.setRare(row.place, internText(view, at + 4, length - 4, flow));
        break;
      case attributeForm.labels:
        decodeLabels(view, at + 4, length - 4, flow);
        break;
      case attributeForm.ignored:
        return;
    }
    flow.learn(row.presence);
  }

  #put32(row: AttributeRow, value: number, flow: FlowCursor): void {
    if (row.store === attributeStore.record) flow.set(row.place, value);
    else flow.setRare(row.place, value);
  }

  #tupleAttribute(
    which: number,
    view: DataView,
    from: number,
    end: number,
    flow: FlowCursor,
  ): void {
    const tuple = this.#tuple;
    this.unknownAttributes += decodeTuple(view, from, end, flow.isIpv6, tuple);
    if (!tuple.hasSource || !tuple.hasDestination || tuple.protocol < 0) {
      // A master's or reply tuple without addresses is as good as none.
      return;
    }
    if (which === tupleKind.master) putMaster(tuple, flow);
    else if (which === tupleKind.reply) putReply(tuple, flow);
    else {
      putOriginal(tuple, flow);
      this.#originals++;
    }
  }
}

function putOriginal(tuple: TupleFields, flow: FlowCursor): void {
  flow.setKind(tuple.isIpv6, tuple.protocol);
  flow.set(recordWord.originalPorts, tuple.ports);
  if (tuple.hasPorts) flow.learn(presenceBit.ports);
  putAddresses(tuple, flow, addressRole.originalSource);
  if (tuple.zone >= 0) {
    flow.set(recordWord.zone, tuple.zone | zoneScope.original);
    flow.learn(presenceBit.zone);
  }
}

function putReply(tuple: TupleFields, flow: FlowCursor): void {
  flow.set(recordWord.replyPorts, tuple.ports);
  putAddresses(tuple, flow, addressRole.replySource);
  flow.learn(presenceBit.reply);
  if (tuple.zone >= 0) {
    flow.set(recordWord.zone, tuple.zone | zoneScope.reply);
    flow.learn(presenceBit.zone);
  }
}

function putAddresses(tuple: TupleFields, flow: FlowCursor, source: AddressRole): void {
  const destination =
    source === addressRole.originalSource
      ? addressRole.originalDestination
      : addressRole.replyDestination;
  if (!tuple.isIpv6) {
    flow.setAddressWord(source, 0, tuple.source[0]!);
    flow.setAddressWord(destination, 0, tuple.destination[0]!);
    return;
  }
  for (let i = 0; i < 4; i++) {
    flow.setAddressWord(source, i, tuple.source[i]!);
    flow.setAddressWord(destination, i, tuple.destination[i]!);
  }
}

function putMaster(tuple: TupleFields, flow: FlowCursor): void {
  flow.setRare(rareWord.masterKind, tuple.protocol | (tuple.isIpv6 ? kindField.ipv6 : 0));
  flow.setRare(rareWord.masterPorts, tuple.ports);
  for (let i = 0; i < 4; i++) {
    const isUsed = i === 0 || tuple.isIpv6;
    flow.setRare(rareWord.masterSource + i, isUsed ? tuple.source[i]! : 0);
    flow.setRare(rareWord.masterDestination + i, isUsed ? tuple.destination[i]! : 0);
  }
  flow.learn(tuple.hasPorts ? presenceBit.master | presenceBit.masterPorts : presenceBit.master);
}

/**
 * Headers of the attributes that nearly every event has, as little-endian words: length | type <<
 * 16.
 */
const usual = {
  status: 0x0003_0008,
  timeout: 0x0007_0008,
  mark: 0x0008_0008,
  id: 0x000c_0008,
  protocolInfo: 0x8004_0030,
  /** In the end of a TCP flow: its state alone. */
  lastState: 0x8004_0010,
} as const;

/**
 * What an event of the kernel holds behind its tuples, in whatever order, straight into the record.
 * Returns the offset of the first attribute that is another one. Halves the time of decoding an
 * event.
 */
function decodeUsual(view: DataView, from: number, end: number, flow: FlowCursor): number {
  const { words, at: base } = flow;
  let presence = 0;
  let at = from;
  while (at + 8 <= end) {
    const header = view.getUint32(at, true);
    if (header === usual.protocolInfo) {
      if (at + 48 > end || !decodeTcpFast(view, at, 48, flow)) break;
      at += 48;
      continue;
    }
    if (header === usual.lastState) {
      if (at + 16 > end || !decodeTcpStateFast(view, at, flow)) break;
      at += 16;
      continue;
    }
    if (header === usual.id) {
      words[base + recordWord.id] = view.getUint32(at + 4);
      presence |= presenceBit.id;
    } else if (header === usual.status) {
      words[base + recordWord.status] = view.getUint32(at + 4);
      presence |= presenceBit.status;
    } else if (header === usual.timeout) {
      words[base + recordWord.timeout] = view.getUint32(at + 4);
      presence |= presenceBit.timeout;
    } else if (header === usual.mark) {
      words[base + recordWord.mark] = view.getUint32(at + 4);
      presence |= presenceBit.mark;
    } else break;
    at += 8;
  }
  flow.learn(presence);
  return at;
}

const tcpPresence =
  presenceBit.state |
  presenceBit.scaleOriginal |
  presenceBit.scaleReply |
  presenceBit.tcpFlagsOriginal |
  presenceBit.tcpFlagsReply;

/**
 * CTA_PROTOINFO of TCP in the one form that the kernel sends: 48 bytes, five attributes at fixed
 * places (headers as little-endian words, length | type << 16). Saves a third of decoding a TCP
 * event.
 */
function decodeTcpFast(view: DataView, at: number, length: number, flow: FlowCursor): boolean {
  if (
    length !== 48 ||
    view.getUint32(at + 4, true) !== 0x8001002c ||
    view.getUint32(at + 8, true) !== 0x00010005 ||
    view.getUint32(at + 16, true) !== 0x00020005 ||
    view.getUint32(at + 24, true) !== 0x00030005 ||
    view.getUint32(at + 32, true) !== 0x00040006 ||
    view.getUint32(at + 40, true) !== 0x00050006
  ) {
    return false;
  }
  const flags =
    (view.getUint8(at + 36) << infoField.flagsOriginalShift) |
    (view.getUint8(at + 44) << infoField.flagsReplyShift);
  const scales =
    ((view.getUint8(at + 20) & 0xf) << infoField.scaleOriginalShift) |
    ((view.getUint8(at + 28) & 0xf) << infoField.scaleReplyShift);
  flow.set(recordWord.info, view.getUint8(at + 12) | flags | scales);
  flow.learn(tcpPresence);
  return true;
}

/** CTA_PROTOINFO of TCP as the end of a flow has it: 16 bytes, the state alone. */
function decodeTcpStateFast(view: DataView, at: number, flow: FlowCursor): boolean {
  if (view.getUint32(at + 4, true) !== 0x8001000c || view.getUint32(at + 8, true) !== 0x00010005) {
    return false;
  }
  flow.setInfo(0, infoField.stateMask, view.getUint8(at + 12));
  flow.learn(presenceBit.state);
  return true;
}

/** The text ends at the first NUL. */
function internText(view: DataView, at: number, length: number, flow: FlowCursor): number {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
  const end = bytes.indexOf(0);
  return flow.names.intern(bytes, 0, end < 0 ? length : end);
}

/** Shorter strings leave the rest zero; what is beyond 16 bytes does not exist in the kernel. */
function decodeLabels(view: DataView, at: number, length: number, flow: FlowCursor): void {
  const words = Math.min(4, length >> 2);
  for (let i = 0; i < 4; i++) {
    flow.setRare(rareWord.labels + i, i < words ? view.getUint32(at + 4 * i, true) : 0);
  }
  flow.setRare(rareWord.labelsLength, words * 4);
}
