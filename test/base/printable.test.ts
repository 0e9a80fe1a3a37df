import fc from 'fast-check';
import {
  printable,
  printableJson,
  printableLines,
  printableName,
  printableValue,
} from '../../src/base/printable.js';

test('what could steer a terminal, hide text or end a line is escaped; all else stays', () => {
  expect(printable('Grüße 防火墙 🔥 "a\\b"')).toBe('Grüße 防火墙 🔥 "a\\b"');
  expect(printable('a\x1b[2J\x9b31m\x07\r\nb\x7f')).toBe('a\\x1b[2J\\x9b31m\\x07\\x0d\\x0ab\\x7f');
  expect(printable('a\u202eb\u2028\ud800\u{e0001}')).toBe(
    'a\\u{202e}b\\u{2028}\\u{d800}\\u{e0001}',
  );
  expect(printableLines('a\x1b\nb')).toBe('a\\x1b\nb');
});

test('a value is escaped at every depth, its keys too', () => {
  const value = { n: 7, list: ['\x1b', { 'k\x1b': '\n' }], none: undefined, no: null };
  expect(printableValue(value)).toEqual({
    n: 7,
    list: ['\\x1b', { 'k\\x1b': '\\x0a' }],
    none: undefined,
    no: null,
  });
});

test('JSON is safe on a terminal and says the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = printableJson({ text }, 2);
      expect(JSON.parse(json)).toEqual({ text });
      expect(printableLines(json)).toBe(json);
    }),
  );
});

test('a name has at most 64 printable characters', () => {
  expect(printableName('fw\x1b[31m1')).toBe('fw?[31m1');
  expect(Array.from(printableName('🔥'.repeat(100)))).toHaveLength(64);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const name = printableName(text);
      expect(printable(name)).toBe(name);
      expect(Array.from(name).length).toBeLessThanOrEqual(64);
    }),
  );
});
