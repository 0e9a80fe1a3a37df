/**
 * Flow record -> replication message, straight into the datagram, by interpreting the attribute
 * rows. No allocation per message.
 */
import {
  presenceBit,
  inversePorts,
  kindField,
  lifecycle,
  rareWord,
  addressRole,
  sameAddress,
  recordWord,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import {
  directionZone,
  wireForm,
  isRare,
  longestHelperForPeer,
  sendOrder,
  type RareForm,
  type SendOptions,
  type WireRow,
} from './flowAttributes.js';
import { headerBytes } from './header.js';
import { plain, plainKind, writePlain } from './plainFlow.js';

/** The attributes of one protocol and family, and which of them the last flow had. */
interface Order {
  readonly rows: readonly WireRow[];
  presence: number;
  status: number;
  chosen: readonly WireRow[];
  plain: number;
}

/** The longest message that `write` makes, headers included. */
export const longestFlowMessage = 512;

export class FlowWriter {
  /** Messages since the start with a zone that a conntrackd does not take. */
  directionZones = 0;
  readonly #options: SendOptions;
  /** By protocol number, IPv6 behind IPv4. */
  readonly #orders = new Array<Order | undefined>(512).fill(undefined);

  constructor(options: SendOptions) {
    this.#options = options;
  }

  /**
   * Writes the attributes behind the place of the header at `at`; `view` has `longestFlowMessage`
   * bytes left. Returns the length of the message, header included. The header itself is the
   * caller's.
   */
  write(view: DataView, at: number, flow: FlowCursor): number {
    let cursor = at + headerBytes;
    const { presence } = flow;
    const status = (presence & presenceBit.status) === 0 ? 0 : flow.get(recordWord.status);
    const order = this.#order(flow.protocol, flow.isIpv6);
    // One flow is much like the one before it.
    if (order.presence !== presence || order.status !== status) choose(order, presence, status);
    if (order.plain !== plain.none) return writePlain(view, cursor, flow, order.plain) - at;
    for (const row of order.chosen) cursor = writeAttribute(row, view, cursor, flow);
    if ((presence & presenceBit.zone) !== 0 && hasDirectionZone(flow)) this.directionZones++;
    return cursor - at;
  }

  #order(protocolNumber: number, isIpv6: boolean): Order {
    const index = protocolNumber | (isIpv6 ? 256 : 0);
    return (this.#orders[index] ??= newOrder(sendOrder(protocolNumber, isIpv6, this.#options)));
  }
}

function hasDirectionZone(flow: FlowCursor): boolean {
  const zone = flow.get(recordWord.zone);
  return (zone & 0xffff) !== 0 && (zone & zoneScope.mask) !== zoneScope.both;
}

function newOrder(rows: readonly WireRow[]): Order {
  const order: Order = { rows, presence: 0, status: 0, chosen: [], plain: plain.none };
  choose(order, 0, 0);
  return order;
}

function choose(order: Order, presence: number, status: number): void {
  order.presence = presence;
  order.status = status;
  order.chosen = order.rows.filter(
    (row) => (presence & row.presence) === row.presence && (status & row.status) === row.status,
  );
  order.plain = plainKind(order.chosen);
}

/** Returns the offset behind the attribute and its padding; `at` where it is left out. */
function writeAttribute(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  const value = at + 4;
  const formOfValue = row.form;
  if (isRare(formOfValue)) return writeRareAttribute(row, formOfValue, view, at, flow);
  switch (formOfValue) {
    case wireForm.addresses:
      writeAddress(view, value, flow, addressRole.originalSource);
      writeAddress(
        view,
        flow.isIpv6 ? value + 16 : value + 4,
        flow,
        addressRole.originalDestination,
      );
      break;
    case wireForm.record32:
      view.setUint32(value, flow.get(row.place));
      break;
    case wireForm.record32Rare:
      view.setUint32(value, flow.getRare(row.place));
      break;
    case wireForm.protocol:
      view.setUint32(value, flow.protocol << 24);
      break;
    case wireForm.info8:
      view.setUint32(value, ((flow.get(recordWord.info) >>> row.place) & row.mask) << 24);
      break;
    case wireForm.ports:
      view.setUint32(value, flow.get(recordWord.originalPorts));
      break;
    case wireForm.icmpType:
      view.setUint32(value, ((flow.get(recordWord.originalPorts) >>> 8) & 0xff) << 24);
      break;
    case wireForm.icmpCode:
      view.setUint32(value, (flow.get(recordWord.originalPorts) & 0xff) << 24);
      break;
    case wireForm.icmpId:
      view.setUint32(value, 0);
      view.setUint16(value, flow.get(recordWord.originalPorts) >>> 16, true);
      break;
  }
  return finish(row, view, at);
}

function writeRareAttribute(
  row: WireRow,
  formOfValue: RareForm,
  view: DataView,
  at: number,
  flow: FlowCursor,
): number {
  const value = at + 4;
  switch (formOfValue) {
    case wireForm.natAddress:
      return writeNatAddress(row, view, at, flow);
    case wireForm.natPort:
      return writeNatPort(row, view, at, flow);
    case wireForm.masterAddresses:
      return writeMasterAddresses(row, view, at, flow);
    case wireForm.helper:
      return writeHelper(row, view, at, flow);
    case wireForm.labels:
      return writeLabels(row, view, at, flow);
    case wireForm.masterProtocol:
      view.setUint32(value, (flow.getRare(rareWord.masterKind) & kindField.protocolMask) << 24);
      break;
    case wireForm.masterPorts:
      view.setUint32(value, flow.getRare(rareWord.masterPorts));
      break;
    case wireForm.sequenceAdjustment:
      for (let i = 0; i < 6; i++) {
        view.setUint32(value + 4 * i, flow.getRare(rareWord.sequenceOriginal + i));
      }
      break;
    case wireForm.synproxy:
      view.setUint32(value, flow.getRare(rareWord.synproxy + 1));
      view.setUint32(value + 4, flow.getRare(rareWord.synproxy));
      view.setUint32(value + 8, flow.getRare(rareWord.synproxy + 2));
      break;
    case wireForm.zone: {
      const zone = flow.get(recordWord.zone);
      if ((zone & 0xffff) === 0) return at;
      if ((zone & zoneScope.mask) !== zoneScope.both) return writeDirectionZone(view, at, zone);
      view.setUint32(value, (zone & 0xffff) << 16);
      break;
    }
  }
  return finish(row, view, at);
}

/** See `directionZone` of flowAttributes.ts. */
function writeDirectionZone(view: DataView, at: number, zone: number): number {
  view.setUint32(at, (directionZone.length << 16) | directionZone.number);
  const direction = (zone & zoneScope.mask) >>> 16;
  view.setUint32(at + 4, ((direction << 24) | ((zone & 0xffff) << 8)) >>> 0);
  return at + 8;
}

/** Header of an attribute of fixed length; returns the offset behind its padding. */
function finish(row: WireRow, view: DataView, at: number): number {
  view.setUint32(at, (row.length << 16) | row.number);
  return at + ((row.length + 3) & ~3);
}

function writeAddress(view: DataView, at: number, flow: FlowCursor, which: AddressRole): void {
  const parts = flow.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) view.setUint32(at + 4 * i, flow.addressWord(which, i), true);
}

/** Only where the address differs from what the plain inverse would be. */
function writeNatAddress(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  const which =
    row.place === addressRole.replySource ? addressRole.replySource : addressRole.replyDestination;
  const plain =
    which === addressRole.replySource
      ? addressRole.originalDestination
      : addressRole.originalSource;
  if (sameAddress(flow, which, plain)) return at;
  writeAddress(view, at + 4, flow, which);
  return finish(row, view, at);
}

function writeNatPort(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  const plain = inversePorts(flow.protocol, flow.get(recordWord.originalPorts)) >>> row.place;
  const port = (flow.get(recordWord.replyPorts) >>> row.place) & 0xffff;
  if (port === (plain & 0xffff)) return at;
  view.setUint32(at + 4, 0);
  view.setUint16(at + 4, port, true);
  return finish(row, view, at);
}

/** The master's family may differ from the flow's. */
function writeMasterAddresses(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  if ((flow.getRare(rareWord.masterKind) & kindField.ipv6) !== row.mask) return at;
  const parts = row.mask === 0 ? 1 : 4;
  for (let i = 0; i < parts; i++) {
    view.setUint32(at + 4 + 4 * i, flow.getRare(rareWord.masterSource + i), true);
    view.setUint32(at + 4 + 4 * (parts + i), flow.getRare(rareWord.masterDestination + i), true);
  }
  return finish(row, view, at);
}

/** A name that conntrackd would refuse together with the whole message is left out. */
function writeHelper(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  const name = flow.names.bytes(flow.getRare(rareWord.helper));
  if (name.length === 0 || name.length > longestHelperForPeer) return at;
  const length = 4 + name.length + 1;
  const end = at + ((length + 3) & ~3);
  view.setUint32(end - 4, 0);
  for (let i = 0; i < name.length; i++) view.setUint8(at + 4 + i, name[i]!);
  view.setUint8(at + 4 + name.length, 0);
  view.setUint32(at, (length << 16) | row.number);
  return end;
}

/**
 * conntrackd leaves labels out where no bit is set. An update sends the zeros too, because that is
 * the only way to clear them at the peer.
 */
function writeLabels(row: WireRow, view: DataView, at: number, flow: FlowCursor): number {
  const words = flow.getRare(rareWord.labelsLength) >>> 2;
  const isUpdated =
    ((flow.get(recordWord.kind) >>> kindField.lifecycleShift) & 3) === lifecycle.alive;
  if (words === 0 || !(hasLabels(flow) || isUpdated)) return at;
  for (let i = 0; i < words; i++) view.setUint32(at + 4 + 4 * i, flow.getRare(rareWord.labels + i));
  const length = 4 + 4 * words;
  view.setUint32(at, (length << 16) | row.number);
  return at + length;
}

/** Whether any label bit is set. */
export function hasLabels(flow: FlowCursor): boolean {
  return (
    (flow.getRare(rareWord.labels) |
      flow.getRare(rareWord.labels + 1) |
      flow.getRare(rareWord.labels + 2) |
      flow.getRare(rareWord.labels + 3)) !==
    0
  );
}
