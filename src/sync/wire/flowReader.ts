/**
 * Replication message -> scratch flow record, by interpreting the attribute rows. Refusals are
 * values (a reason for the counter), not exceptions: hostile datagrams arrive by the hundred
 * thousand. Differs from conntrackd 1.4.7: unknown attributes are skipped and counted, and a flow
 * without addresses or protocol is refused (docs/differences.md).
 */
import {
  clearScratch,
  deriveReply,
  presenceBit,
  kindField,
  rareWord,
  addressRole,
  recordWord,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import { protocol } from '../../conntrack/constants.js';
import {
  directionZone,
  wireForm,
  isRare,
  rowsByNumber,
  type RareForm,
  type WireRow,
} from './flowAttributes.js';

/** What of the message must be there. */
const seen = { addresses: 1, protocol: 2, masterAddresses: 4, masterProtocol: 8 } as const;
/** What of a translation was received; each bit of `#nat`. */
const nat = { source: 1, destination: 2, sourcePort: 4, destinationPort: 8 } as const;

export class FlowReader {
  /** Attributes that no row names, since the start. */
  unknownAttributes = 0;
  #seen = 0;
  #nat = 0;
  #natPorts = 0;
  readonly #natAddresses = new Uint32Array(8);
  /** Words of the translated source and destination: 1 or 4. */
  readonly #natParts = new Uint8Array(2);

  /**
   * Reads the attributes in [from, end) of `view` into `flow`, a scratch record, which is cleared
   * first. False where the message is malformed; `flow` is then unspecified.
   */
  read(view: DataView, from: number, end: number, flow: FlowCursor): boolean {
    clearScratch(flow);
    this.#seen = 0;
    this.#nat = 0;
    this.#natPorts = 0;
    // Up to 4 bytes at the end that hold no attribute are ignored, as by conntrackd.
    for (let at = from; end - at > 4;) {
      const length = view.getUint16(at);
      if (length < 4 || length > end - at) return false;
      if (!this.#attribute(view, at, length, flow)) return false;
      at += (length + 3) & ~3;
    }
    return this.#finish(flow);
  }

  #attribute(view: DataView, at: number, length: number, flow: FlowCursor): boolean {
    const row = rowsByNumber[view.getUint16(at + 2)];
    if (row === undefined) {
      this.unknownAttributes++;
      return true;
    }
    if (row.isMaximum ? length > row.length : length !== row.length) return false;
    this.#value(row, view, at + 4, length - 4, flow);
    return true;
  }

  #value(row: WireRow, view: DataView, at: number, length: number, flow: FlowCursor): void {
    const formOfValue = row.form;
    if (isRare(formOfValue)) {
      this.#rareValue(row, formOfValue, view, at, length, flow);
      return;
    }
    switch (formOfValue) {
      case wireForm.addresses:
        // The last one of IPV4 and IPV6 decides the family.
        flow.setKind(row.mask !== 0, flow.protocol);
        readAddress(view, at, flow, addressRole.originalSource);
        readAddress(view, at + (length >>> 1), flow, addressRole.originalDestination);
        this.#seen |= seen.addresses;
        break;
      case wireForm.record32:
        flow.set(row.place, view.getUint32(at));
        break;
      case wireForm.record32Rare:
        flow.setRare(row.place, view.getUint32(at));
        break;
      case wireForm.protocol:
        flow.setKind(flow.isIpv6, view.getUint8(at));
        this.#seen |= seen.protocol;
        break;
      case wireForm.info8:
        flow.setInfo(row.place, row.mask, view.getUint8(at));
        break;
      case wireForm.ports:
        flow.set(recordWord.originalPorts, view.getUint32(at));
        break;
      case wireForm.icmpType:
        setPart(flow, 8, 0xff, view.getUint8(at));
        break;
      case wireForm.icmpCode:
        setPart(flow, 0, 0xff, view.getUint8(at));
        break;
      case wireForm.icmpId:
        setPart(flow, 16, 0xffff, view.getUint16(at, true));
        break;
    }
    flow.learn(row.presence);
  }

  #rareValue(
    row: WireRow,
    formOfValue: RareForm,
    view: DataView,
    at: number,
    length: number,
    flow: FlowCursor,
  ): void {
    switch (formOfValue) {
      case wireForm.natAddress:
        this.#natAddress(row, view, at, length);
        return;
      case wireForm.natPort:
        this.#natPort(row, view.getUint16(at, true));
        return;
      case wireForm.masterAddresses:
        this.#masterAddresses(row, view, at, flow);
        return;
      case wireForm.masterProtocol:
        flow.setRare(
          rareWord.masterKind,
          (flow.getRare(rareWord.masterKind) & ~kindField.protocolMask) | view.getUint8(at),
        );
        this.#seen |= seen.masterProtocol;
        return;
      case wireForm.masterPorts:
        flow.setRare(rareWord.masterPorts, view.getUint32(at));
        flow.learn(presenceBit.masterPorts);
        return;
      case wireForm.sequenceAdjustment:
        for (let i = 0; i < 6; i++)
          flow.setRare(rareWord.sequenceOriginal + i, view.getUint32(at + 4 * i));
        break;
      case wireForm.synproxy:
        flow.setRare(rareWord.synproxy + 1, view.getUint32(at));
        flow.setRare(rareWord.synproxy, view.getUint32(at + 4));
        flow.setRare(rareWord.synproxy + 2, view.getUint32(at + 8));
        break;
      case wireForm.helper:
        if (!isHelperName(view, at, nameLength(view, at, length))) return;
        flow.setRare(rareWord.helper, internName(view, at, length, flow));
        break;
      case wireForm.labels:
        if ((length & 3) !== 0) {
          readDirectionZone(view, at, length, flow);
          return;
        }
        readLabels(view, at, length, flow);
        break;
      case wireForm.zone:
        flow.set(recordWord.zone, view.getUint16(at) | zoneScope.both);
        break;
    }
    flow.learn(row.presence);
  }

  #natAddress(row: WireRow, view: DataView, at: number, length: number): void {
    const isSource = row.place === addressRole.replyDestination;
    const first = isSource ? 0 : 4;
    this.#natParts[isSource ? 0 : 1] = length >>> 2;
    for (let i = 0; i < length >>> 2; i++) {
      this.#natAddresses[first + i] = view.getUint32(at + 4 * i, true);
    }
    this.#nat |= isSource ? nat.source : nat.destination;
  }

  #natPort(row: WireRow, port: number): void {
    this.#natPorts = (this.#natPorts & ~(0xffff << row.place)) | (port << row.place);
    this.#nat |= row.place === 0 ? nat.sourcePort : nat.destinationPort;
  }

  #masterAddresses(row: WireRow, view: DataView, at: number, flow: FlowCursor): void {
    const parts = row.mask === 0 ? 1 : 4;
    for (let i = 0; i < 4; i++) {
      const isUsed = i < parts;
      flow.setRare(rareWord.masterSource + i, isUsed ? view.getUint32(at + 4 * i, true) : 0);
      flow.setRare(
        rareWord.masterDestination + i,
        isUsed ? view.getUint32(at + 4 * (parts + i), true) : 0,
      );
    }
    const before = (this.#seen & seen.masterProtocol) === 0 ? 0 : flow.getRare(rareWord.masterKind);
    flow.setRare(rareWord.masterKind, (before & kindField.protocolMask) | row.mask);
    this.#seen |= seen.masterAddresses;
  }

  /**
   * The reply tuple is never sent: it is the inverse of the original one, with the translations put
   * in.
   */
  #finish(flow: FlowCursor): boolean {
    const needed = seen.addresses | seen.protocol;
    if ((this.#seen & needed) !== needed) return false;
    const master = seen.masterAddresses | seen.masterProtocol;
    if ((this.#seen & master) === master) flow.learn(presenceBit.master);
    else
      flow.words[flow.at + recordWord.presence]! &= ~(presenceBit.master | presenceBit.masterPorts);
    deriveReply(flow);
    if (this.#nat === 0) return true;
    if ((this.#nat & nat.source) !== 0) this.#translate(flow, addressRole.replyDestination, 0);
    if ((this.#nat & nat.destination) !== 0) this.#translate(flow, addressRole.replySource, 4);
    if (flow.protocol !== protocol.icmp && flow.protocol !== protocol.icmpv6) {
      let ports = flow.get(recordWord.replyPorts);
      if ((this.#nat & nat.sourcePort) !== 0) ports = (ports & ~0xffff) | (this.#natPorts & 0xffff);
      if ((this.#nat & nat.destinationPort) !== 0) {
        ports = (ports & 0xffff) | (this.#natPorts & ~0xffff);
      }
      flow.set(recordWord.replyPorts, ports);
    }
    flow.learn(presenceBit.reply);
    return true;
  }

  #translate(flow: FlowCursor, which: AddressRole, first: number): void {
    const parts = flow.isIpv6 ? 4 : 1;
    // A translation into the other family says nothing of this flow.
    if (this.#natParts[first >>> 2] !== parts) return;
    for (let i = 0; i < parts; i++) flow.setAddressWord(which, i, this.#natAddresses[first + i]!);
  }
}

function readAddress(view: DataView, at: number, flow: FlowCursor, which: AddressRole): void {
  const parts = flow.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) flow.setAddressWord(which, i, view.getUint32(at + 4 * i, true));
}

function setPart(flow: FlowCursor, shift: number, mask: number, value: number): void {
  const ports = flow.get(recordWord.originalPorts);
  flow.set(recordWord.originalPorts, (ports & ~(mask << shift)) | (value << shift));
}

/** Up to the first NUL, or to the end of the attribute (conntrackd reads on beyond it). */
function nameLength(view: DataView, at: number, length: number): number {
  let end = 0;
  while (end < length && view.getUint8(at + end) !== 0) end++;
  return end;
}

/**
 * Helpers are kernel modules with plain names: what is not printable ASCII can be none, and is
 * shown to people.
 */
function isHelperName(view: DataView, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const byte = view.getUint8(at + i);
    if (byte <= 0x20 || byte >= 0x7f) return false;
  }
  return true;
}

function internName(view: DataView, at: number, length: number, flow: FlowCursor): number {
  const end = nameLength(view, at, length);
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, end);
  return flow.names.internPeers(bytes, 0, end);
}

/** See `directionZone` of flowAttributes.ts; other lengths that are no labels say nothing. */
function readDirectionZone(view: DataView, at: number, length: number, flow: FlowCursor): void {
  if (length + 4 !== directionZone.length) return;
  const scope = view.getUint8(at) << 16;
  const zone = view.getUint16(at + 1);
  if ((scope !== zoneScope.original && scope !== zoneScope.reply) || zone === 0) return;
  flow.set(recordWord.zone, zone | scope);
  flow.learn(presenceBit.zone);
}

/** Beyond 128 bits the kernel has no labels. */
function readLabels(view: DataView, at: number, length: number, flow: FlowCursor): void {
  const words = Math.min(4, length >>> 2);
  for (let i = 0; i < 4; i++) {
    flow.setRare(rareWord.labels + i, i < words ? view.getUint32(at + 4 * i) : 0);
  }
  flow.setRare(rareWord.labelsLength, words * 4);
}
