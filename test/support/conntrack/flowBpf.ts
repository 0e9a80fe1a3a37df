/** Runs the classic BPF of event filters as linux/filter.h defines it, with the two netlink extensions. */

/** Bytes kept of `packet`: 0 is dropped. Throws on an instruction that the filters have no use for. */
export function runFilter(program: Uint8Array, packet: Buffer): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let a = 0;
  let x = 0;
  for (let pc = 0; ; pc++) {
    const code = view.getUint16(8 * pc, true);
    const [jt, jf] = [view.getUint8(8 * pc + 2), view.getUint8(8 * pc + 3)];
    const k = view.getUint32(8 * pc + 4, true);
    switch (code) {
      case 0x00:
        a = k;
        break;
      case 0x01:
        x = k;
        break;
      case 0x07:
        x = a;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        pc += a === k ? jt : jf;
        break;
      case 0x06:
        return k;
      case 0x30:
        if (k === 0xfffff00c) a = findAttribute(packet, a, packet.length, x);
        else if (k === 0xfffff010) {
          a = findAttribute(packet, a + 4, a + packet.readUInt16LE(a), x);
        } else if (k < packet.length) a = packet[k]!;
        else return 0;
        break;
      case 0x50:
        if (x + k >= packet.length) return 0;
        a = packet[x + k]!;
        break;
      case 0x40:
        if (x + k + 4 > packet.length) return 0;
        a = packet.readUInt32BE(x + k);
        break;
      default:
        throw new Error(`instruction ${code} at ${pc}`);
    }
  }
}

function findAttribute(packet: Buffer, from: number, end: number, type: number): number {
  for (let at = from; at + 4 <= end; at += (packet.readUInt16LE(at) + 3) & ~3) {
    if (packet.readUInt16LE(at) < 4) return 0;
    if ((packet.readUInt16LE(at + 2) & 0x3fff) === type) return at;
  }
  return 0;
}
