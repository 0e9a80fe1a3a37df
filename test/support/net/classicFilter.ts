/** Classic BPF as far as the filters of this repository go: loads, one mask, forward jumps. */

const packetType = 0xffff_f004;

/** Whether `program` lets `packet` of this type (PACKET_*) through. */
export function runFilter(program: Uint8Array, packet: Buffer, type: number): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length;) {
    const [yes, no] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const value = view.getUint32(at * 8 + 4, true);
    const code = view.getUint16(at * 8, true);
    at++;
    switch (code) {
      case 0x30:
      case 0x28:
      case 0x20: {
        const bytes = code === 0x30 ? 1 : code === 0x28 ? 2 : 4;
        // A load beyond the end ends the program: nothing is let through.
        if (value !== packetType && value + bytes > packet.length) return false;
        accumulator = value === packetType ? type : packet.readUIntBE(value, bytes);
        break;
      }
      case 0x54:
        accumulator = (accumulator & value) >>> 0;
        break;
      case 0x15:
        at += accumulator === value ? yes : no;
        break;
      case 0x25:
        at += accumulator > value ? yes : no;
        break;
      case 0x35:
        at += accumulator >= value ? yes : no;
        break;
      case 0x06:
        return value > 0;
      default:
        throw new Error(`opcode ${code}`);
    }
  }
  throw new Error('the program does not end');
}
