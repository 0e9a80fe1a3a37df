import { DecodeError } from '../../../src/base/errors.js';
import {
  decodeBeatContent,
  encodeBeatContent,
  type BeatContent,
  type BeatUnit,
} from '../../../src/agreement/wire/beatContent.js';

const unit: BeatUnit = {
  identity: 0x0102030405060708n,
  says: {
    ...{ role: 'MASTER', term: 7, held: 7, claims: 0, faulty: ['wan'], isLastResort: true },
    ...{ isSynchronised: true, isInMaintenance: false, priority: 150, address: '10.0.0.1' },
    reach: { lan: { answered: 3, hasCarrier: true, hasTargets: false } },
    asks: ['10.0.0.101', 'fd00::9'],
  },
};

const content: BeatContent = {
  ...{ hasRealTime: true, hasEnded: false, paths: ['lan', 'sync'] },
  hears: { '10.0.0.2': { lan: 'silent', sync: 'living' } },
  ...{ units: [unit], more: 0 },
};

/** Written by hand from the picture at the head of beatContent.ts. */
const hex = [
  '0105', // version, real time and says MASTER
  '02 03 6c616e 04 73796e63', // lan, sync
  '01 04 0a000002 02 01', // 10.0.0.2: silent, living
  '01 0102030405060708 0e 96', // a unit: MASTER, last resort, synchronised; 150
  '00000007 00000007 00000000 04 0a000001',
  '01 03 77616e', // wan is faulty
  '01 00 03 01', // lan: 3 answered, carrier
  '02 04 0a000065 10 fd000000000000000000000000000009',
  '00',
].join('');

const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

test('a content is written as the picture says', () => {
  expect(Buffer.from(encodeBeatContent(content)).toString('hex')).toBe(hex.replaceAll(' ', ''));
});

test('and read', () => {
  expect(decodeBeatContent(bytes)).toEqual(content);
});

test('cut at any byte it is none', () => {
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeBeatContent(bytes.subarray(0, length))).toThrow(DecodeError);
  }
  expect(() => decodeBeatContent(Uint8Array.from([...bytes, 0]))).toThrow('bytes behind a beat');
});

test.each([
  ['another version', 0, 2, 'beat of version 2'],
  ['too many paths', 2, 9, '9 where 8 are the most'],
  ['an empty name', 3, 0, 'a name of a beat is no name'],
  ['a name of control characters', 4, 0x1b, 'a name of a beat is no name'],
  ['an address of three bytes', 13, 3, 'an address of a beat is none'],
  ['a path in no state', 18, 5, 'no value 5'],
  ['a reach of no path', 53, 2, 'no value 2'],
])('%s', (_title, at, value, message) => {
  const changed = bytes.slice();
  changed[at] = value;
  expect(() => decodeBeatContent(changed)).toThrow(DecodeError);
  expect(() => decodeBeatContent(changed)).toThrow(message);
});

test('flags of a later version pass', () => {
  const changed = bytes.slice();
  changed[1] = 0xf5;
  expect(decodeBeatContent(changed)).toEqual(content);
});

test('units that have no room are counted, and so are those of before', () => {
  const units = Array.from({ length: 14 }, () => unit);
  const decoded = decodeBeatContent(encodeBeatContent({ ...content, units, more: 2 }));
  expect(decoded.units.length).toBe(8);
  expect(decoded.more).toBe(8);
  const many = Array.from({ length: 500 }, () => unit);
  expect(decodeBeatContent(encodeBeatContent({ ...content, units: many })).more).toBe(255);
});

test('long lists and names are cut, what is no name is made one, a term has its largest', () => {
  const long = Array.from({ length: 12 }, (_, i) => `a-very-long-interface-${i}`);
  const says = { ...unit.says, term: 2 ** 40, faulty: [...long], asks: long.map(() => '10.0.0.9') };
  const wide = { ...content, paths: ['lan', '', 'ab\ncd'], units: [{ ...unit, says }] };
  const decoded = decodeBeatContent(encodeBeatContent(wide));
  expect(decoded.paths).toEqual(['lan', '?', 'ab?cd']);
  expect(decoded.units[0]?.says).toMatchObject({
    ...{ term: 0xffff_ffff, faulty: Array.from({ length: 8 }, () => 'a-very-long-int') },
    asks: Array.from({ length: 8 }, () => '10.0.0.9'),
  });
});

test('a unit of another node that says MASTER sets the flag for those who know no roles', () => {
  const backup = { ...unit, says: { ...unit.says, role: 'BACKUP' as const } };
  expect(encodeBeatContent({ ...content, units: [backup] })[1]).toBe(1);
  expect(encodeBeatContent({ ...content, units: [backup, unit], hasEnded: true })[1]).toBe(7);
});
