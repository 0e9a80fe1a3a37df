/**
 * ARP requests and replies (RFC 826) as Ethernet frames, for probes.
 *
 *    0 ff:ff:ff:ff:ff:ff | 6 mac | 12 0806
 *   14 0001 | 16 0800 | 18 06 04 | 20 operation | 22 sender mac | 28 sender | 32 target mac | 38 target
 *
 * Without a sender the request claims no address (RFC 5227 section 2.1.1), so that no neighbour
 * learns one from it.
 */
import { ByteWriter } from '../../base/cursor.js';

export const etherTypeArp = 0x0806;
export const arpFrameBytes = 42;
const request = 1;
const reply = 2;
const broadcast = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/** `mac` has 6 bytes, the addresses are IPv4. */
export interface ArpRequest {
  readonly mac: Uint8Array;
  readonly sender?: Uint8Array;
  readonly target: Uint8Array;
}

export function encodeArpRequest({ mac, sender, target }: ArpRequest): Uint8Array {
  const frame = new ByteWriter(arpFrameBytes);
  frame.bytes(broadcast).bytes(mac).uint16(etherTypeArp);
  frame.uint16(1).uint16(0x0800).uint16(0x0604).uint16(request);
  frame.bytes(mac);
  if (sender === undefined) frame.zeros(4);
  else frame.bytes(sender);
  return frame.zeros(6).bytes(target).written();
}

/** The address that a reply to `mac` vouches for; undefined for other frames. Shares memory. */
export function answeringAddress(frame: Uint8Array, mac: Uint8Array): Uint8Array | undefined {
  if (frame.length < arpFrameBytes) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const fields = [12, 14, 16, 18, 20].map((at) => view.getUint16(at));
  const wanted = [etherTypeArp, 1, 0x0800, 0x0604, reply];
  if (!fields.every((field, i) => field === wanted[i])) return undefined;
  if (Buffer.compare(frame.subarray(32, 38), mac) !== 0) return undefined;
  return frame.subarray(28, 32);
}

/** Classic BPF for `startReceiving`: replies alone come up. struct sock_filter, 8 bytes each. */
export function repliesOnly(): Uint8Array {
  const program = new Uint8Array(4 * 8);
  const view = new DataView(program.buffer);
  const steps = [
    [0x28, 0, 0, 20],
    [0x15, 0, 1, reply],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ] as const;
  steps.forEach(([code, yes, no, value], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, yes);
    view.setUint8(8 * i + 3, no);
    view.setUint32(8 * i + 4, value, true);
  });
  return program;
}
