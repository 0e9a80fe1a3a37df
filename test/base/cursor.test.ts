import { ByteReader, ByteWriter } from '../../src/base/cursor.js';
import { BugError, DecodeError } from '../../src/base/errors.js';

describe('byte cursors', () => {
  test('what is written in either byte order is read back', () => {
    const writer = new ByteWriter(64);
    writer
      .uint8(1)
      .uint16(0x0203)
      .uint32(0xfffefdfc)
      .uint64(2n ** 63n);
    writer.uint16Host(0x0203).uint32Host(0xfffefdfc).int32Host(-5);
    writer.bytes(Uint8Array.of(7, 8)).zeros(2).patchUint16(1, 0x0405);
    const reader = new ByteReader(writer.written());
    expect(reader.uint8()).toBe(1);
    expect(reader.uint16()).toBe(0x0405);
    expect(reader.uint32()).toBe(0xfffefdfc);
    expect(reader.uint64()).toBe(2n ** 63n);
    expect(reader.uint16Host()).toBe(0x0203);
    expect(reader.uint32Host()).toBe(0xfffefdfc);
    expect(reader.int32Host()).toBe(-5);
    reader.skip(1);
    expect([...reader.rest()]).toEqual([8, 0, 0]);
    expect(reader.remaining).toBe(0);
    expect(reader.offset).toBe(writer.offset);
  });

  test('network order is big endian, host order little endian', () => {
    const writer = new ByteWriter(4);
    writer.uint16(0x0102).uint16Host(0x0102);
    expect([...writer.written()]).toEqual([1, 2, 2, 1]);
  });

  test('a read past the end is a DecodeError and consumes nothing', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    expect(() => reader.uint32()).toThrow(DecodeError);
    expect(() => reader.bytes(-1)).toThrow(DecodeError);
    expect(reader.uint16()).toBe(0x0102);
    expect(() => reader.uint16()).toThrow(DecodeError);
    expect(reader.uint8()).toBe(3);
  });

  test('a write past the end, or a patch of what is not written, is a BugError', () => {
    const writer = new ByteWriter(new Uint8Array(2));
    expect(() => writer.uint32(1)).toThrow(BugError);
    expect(() => writer.patchUint16(0, 1)).toThrow(BugError);
    expect(writer.uint16(1).offset).toBe(2);
  });
});
