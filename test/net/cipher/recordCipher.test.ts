import {
  NodeRecordCipher,
  recordCipher,
  type RecordCipher,
} from '../../../src/net/cipher/recordCipher.js';

const key = Uint8Array.from({ length: 16 }, (_one, i) => i);
const clearBytes = 16;
const tagBytes = 16;

/** Records as they are before they are sealed; the counter of each is its place. */
function records(bodies: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    bodies.map((body, i) => {
      const clear = new Uint8Array(clearBytes).fill(0xe5);
      clear[15] = i;
      return Buffer.concat([clear, body, new Uint8Array(tagBytes)]);
    }),
  );
}

const ciphers: readonly (readonly [string, (key: Uint8Array) => RecordCipher])[] = [
  ['by OpenSSL', recordCipher],
  ['by node:crypto', (bytes) => new NodeRecordCipher(bytes)],
];

describe.each(ciphers)('%s', (_name, make) => {
  test('the vector of NIST: key and nonce 0, 16 zero bytes, nothing authenticated but clear', () => {
    // GCM test case 2 has no clear bytes; the encrypted block does not depend on them.
    const cipher = make(new Uint8Array(16));
    const record = new Uint8Array(clearBytes + 16 + tagBytes);
    cipher.seal(record, record.length, clearBytes);
    expect(Buffer.from(record.subarray(16, 32)).toString('hex')).toBe(
      '0388dace60b6a392f328c2b971b2fe78',
    );
  });

  test('what is sealed is opened, each record of a run, and an empty one', () => {
    const cipher = make(key);
    for (const size of [0, 1, 15, 16, 17, 1_400]) {
      const bodies = [1, 2, 3].map((fill) => new Uint8Array(size).fill(fill));
      const run = records(bodies);
      const length = clearBytes + size + tagBytes;
      cipher.seal(run, length, clearBytes);
      bodies.forEach((body, i) => {
        const into = new Uint8Array(size);
        expect(cipher.open(run.subarray(i * length, (i + 1) * length), clearBytes, into)).toBe(
          true,
        );
        expect(into).toEqual(body);
      });
    }
  });

  test('a record that is wholly clear is authenticated only', () => {
    const cipher = make(key);
    const record = records([new Uint8Array(40).fill(7)]);
    cipher.seal(record, record.length, record.length - tagBytes);
    expect(record.subarray(clearBytes, clearBytes + 40)).toEqual(Buffer.alloc(40, 7));
    expect(cipher.open(record, record.length - tagBytes, new Uint8Array(0))).toBe(true);
  });

  test('no bit may change, and no other key opens', () => {
    const cipher = make(key);
    const record = records([new Uint8Array(20).fill(9)]);
    cipher.seal(record, record.length, clearBytes);
    const into = new Uint8Array(20);
    for (let bit = 0; bit < record.length * 8; bit++) {
      const forged = Uint8Array.from(record);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(cipher.open(forged, clearBytes, into)).toBe(false);
    }
    expect(make(new Uint8Array(16)).open(record, clearBytes, into)).toBe(false);
    expect(cipher.open(record, clearBytes, into)).toBe(true);
  });

  test('a record shorter than its parts, and too little room, are refused', () => {
    const cipher = make(key);
    const record = records([new Uint8Array(20)]);
    cipher.seal(record, record.length, clearBytes);
    expect(cipher.open(record.subarray(0, 31), clearBytes, new Uint8Array(20))).toBe(false);
    expect(cipher.open(record, clearBytes, new Uint8Array(19))).toBe(false);
  });
});

test('both make the same bytes', () => {
  const bodies = [3, 4, 5].map((fill) => new Uint8Array(100).fill(fill));
  const [one, two] = [records(bodies), records(bodies)];
  recordCipher(key).seal(one, 132, clearBytes);
  new NodeRecordCipher(key).seal(two, 132, clearBytes);
  expect(one).toEqual(two);
});

test('the addon takes no nonsense for records', () => {
  const cipher = recordCipher(key);
  expect(() => cipher.seal(new Uint8Array(64), 31, 16)).toThrow('not sealed');
  expect(() => cipher.seal(new Uint8Array(65), 64, 16)).toThrow('not sealed');
  expect(() => cipher.seal(new Uint8Array(64), 64, 4)).toThrow('not sealed');
  expect(() => recordCipher(new Uint8Array(15))).toThrow('16 bytes');
});
