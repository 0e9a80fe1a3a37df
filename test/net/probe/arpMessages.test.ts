import {
  answeringAddress,
  encodeArpRequest,
  repliesOnly,
} from '../../../src/net/probe/arpMessages.js';

const mac = Uint8Array.from([2, 0, 0, 0, 0, 0x0a]);
const target = Uint8Array.from([10, 0, 0, 1]);

test('a request claims no address unless it is told one', () => {
  const head = 'ffffffffffff' + '02000000000a' + '0806' + '0001' + '0800' + '0604' + '0001';
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(hex(encodeArpRequest({ mac, target }))).toBe(
    `${head}02000000000a00000000${'00'.repeat(6)}0a000001`,
  );
  const sender = Uint8Array.from([10, 0, 0, 9]);
  expect(hex(encodeArpRequest({ mac, target, sender }))).toBe(
    `${head}02000000000a0a000009${'00'.repeat(6)}0a000001`,
  );
});

/** Origin: what Linux answers to the request above, 02:00:00:00:00:0b having the address. */
const reply = Buffer.from(
  '02000000000a' +
    '02000000000b' +
    '0806' +
    '0001' +
    '0800' +
    '0604' +
    '0002' +
    '02000000000b' +
    '0a000001' +
    '02000000000a' +
    '00000000',
  'hex',
);

test('a reply to this interface vouches for its sender', () => {
  expect(answeringAddress(reply, mac)).toEqual(Buffer.from(target));
});

test('a request, a reply to another, a cut one do not', () => {
  expect(answeringAddress(encodeArpRequest({ mac, target }), mac)).toBeUndefined();
  expect(answeringAddress(reply, Uint8Array.from([2, 0, 0, 0, 0, 0x0c]))).toBeUndefined();
  for (let i = 0; i < reply.length; i++) {
    expect(answeringAddress(reply.subarray(0, i), mac)).toBeUndefined();
  }
});

test('the filter looks at the operation', () => {
  expect(Buffer.from(repliesOnly()).toString('hex')).toBe(
    '2800000014000000' + '1500000102000000' + '06000000ffff0000' + '0600000000000000',
  );
});
