/**
 * Packets as Ethernet frames, and back, as far as scripts need them: IPv4 with TCP, UDP or ICMP.
 */
import { foldChecksum, onesComplementSum } from '../../../src/base/checksum.js';
import { addressBytes } from '../kernel/addressText.js';
import type { Tuple } from '../kernel/kernelPorts.js';

const ethernetBytes = 14;
const ipBytes = 20;
const protocols = { icmp: 1, tcp: 6, udp: 17 } as const;

export interface Segment {
  readonly tuple: Tuple;
  /** TCP alone. */
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  /** Shift count that a SYN offers (RFC 7323). */
  readonly scale: number | undefined;
  readonly data: number;
}

/** `from` and `to` are MAC addresses. */
export function frameOf(segment: Segment, from: Uint8Array, to: Uint8Array): Uint8Array {
  const payload = payloadOf(segment);
  const frame = new Uint8Array(ethernetBytes + ipBytes + payload.length);
  const view = new DataView(frame.buffer);
  frame.set(to, 0);
  frame.set(from, 6);
  view.setUint16(12, 0x0800);
  const { tuple } = segment;
  view.setUint8(14, 0x45);
  view.setUint16(16, ipBytes + payload.length);
  view.setUint16(20, 0x4000);
  view.setUint8(22, 64);
  view.setUint8(23, tuple.protocol);
  frame.set(addressBytes(tuple.source), 26);
  frame.set(addressBytes(tuple.destination), 30);
  view.setUint16(24, foldChecksum(onesComplementSum(frame.subarray(14, 34))));
  frame.set(payload, ethernetBytes + ipBytes);
  const checksumAt = { [protocols.tcp]: 16, [protocols.udp]: 6, [protocols.icmp]: 2 }[
    tuple.protocol
  ];
  if (checksumAt === undefined) throw new Error(`no frames of protocol ${tuple.protocol}`);
  const pseudo =
    tuple.protocol === protocols.icmp
      ? 0
      : onesComplementSum(frame.subarray(26, 34)) + tuple.protocol + payload.length;
  const sum = foldChecksum(onesComplementSum(payload, pseudo));
  view.setUint16(ethernetBytes + ipBytes + checksumAt, sum);
  return frame;
}

function payloadOf(segment: Segment): Uint8Array {
  const { tuple, data } = segment;
  switch (tuple.protocol) {
    case protocols.tcp:
      return tcpOf(segment);
    case protocols.udp: {
      const bytes = new Uint8Array(8 + data);
      const view = new DataView(bytes.buffer);
      view.setUint16(0, tuple.sourcePort);
      view.setUint16(2, tuple.destinationPort);
      view.setUint16(4, bytes.length);
      return bytes;
    }
    default: {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint16(0, tuple.destinationPort);
      view.setUint16(4, tuple.sourcePort);
      return new Uint8Array(view.buffer);
    }
  }
}

function tcpOf({ tuple, flags, sequence, acknowledgement, scale, data }: Segment): Uint8Array {
  // Window scale, padded by a NOP.
  const options = scale === undefined ? [] : [1, 3, 3, scale];
  const headerBytes = 20 + options.length;
  const bytes = new Uint8Array(headerBytes + data);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tuple.sourcePort);
  view.setUint16(2, tuple.destinationPort);
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledgement);
  view.setUint8(12, (headerBytes / 4) << 4);
  view.setUint8(13, flags);
  view.setUint16(14, 0xffff);
  bytes.set(options, 20);
  return bytes;
}

/** undefined for what is no such packet. */
export function tupleOfFrame(frame: Uint8Array): Tuple | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 42 || view.getUint16(12) !== 0x0800) return undefined;
  const protocol = view.getUint8(23);
  const at = ethernetBytes + 4 * (view.getUint8(14) & 0x0f);
  const isIcmp = protocol === protocols.icmp;
  return {
    protocol,
    source: frame.subarray(26, 30).join('.'),
    destination: frame.subarray(30, 34).join('.'),
    sourcePort: view.getUint16(isIcmp ? at + 4 : at),
    destinationPort: view.getUint16(isIcmp ? at : at + 2),
  };
}
