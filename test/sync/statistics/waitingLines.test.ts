/** Lines in memory while a disk takes none. */
import { WaitingLines, type Piece } from '../../../src/sync/statistics/waitingLines.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = ({ bytes: from, ...piece }: Piece): string =>
  Buffer.from(from.subarray(piece.from, piece.to)).toString();

/** Everything that is written, `step` bytes at a time. */
function drain(lines: WaitingLines, step: number): string {
  let text = '';
  for (let piece = lines.next(); piece !== undefined; piece = lines.next()) {
    const taken = textOf(piece).slice(0, step);
    text += taken;
    lines.wrote(taken.length);
  }
  return text;
}

test('lines come out as they went in, whatever is taken at once, and are counted when they are whole', () => {
  const lines = new WaitingLines(1_000_000);
  lines.append(bytes('first\nsecond\n'), 2);
  lines.append(bytes('third\n'), 1);
  lines.wrote(8);
  expect(lines.counts).toEqual({ written: 1, lost: 0, waiting: 2 });
  expect(drain(lines, 5)).toBe('cond\nthird\n');
  expect(lines.counts).toEqual({ written: 3, lost: 0, waiting: 0 });
  expect(lines.isEmpty).toBe(true);
});

test('what is appended during a write belongs to the next one', () => {
  const lines = new WaitingLines(1_000_000);
  lines.append(bytes('a\n'), 1);
  const piece = lines.next();
  lines.append(bytes('b\n'), 1);
  expect(piece && textOf(piece)).toBe('a\n');
  lines.wrote(2);
  expect(lines.counts).toEqual({ written: 1, lost: 0, waiting: 1 });
  expect(drain(lines, 99)).toBe('b\n');
});

test('beyond the limit whole blocks are lost and counted, and there is room again after a write', () => {
  const lines = new WaitingLines(131_072);
  const block = bytes(`${'x'.repeat(40_000)}\n`);
  const kept = [1, 2, 3, 4].map(() => lines.append(block, 1));
  expect(kept).toEqual([true, true, false, false]);
  expect(lines.counts).toEqual({ written: 0, lost: 2, waiting: 2 });
  expect(drain(lines, 1_000_000)).toHaveLength(2 * block.length);
  expect(lines.append(block, 1)).toBe(true);
});

test('the more waits, the more is written at once', () => {
  const lines = new WaitingLines(16 * 1_048_576);
  const block = bytes(`${'x'.repeat(32_767)}\n`);
  for (let i = 0; i < 200; i++) lines.append(block, 1);
  const sizes: number[] = [];
  for (let piece = lines.next(); piece !== undefined; piece = lines.next()) {
    sizes.push((piece.to - piece.from) / 65_536);
    lines.wrote(piece.to - piece.from);
  }
  expect(sizes.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 16]);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
});

test('a block that is longer than the limit is kept where nothing waits', () => {
  const lines = new WaitingLines(1);
  expect(lines.append(bytes(`${'y'.repeat(200_000)}\n`), 1)).toBe(true);
  expect(drain(lines, 7_777)).toHaveLength(200_001);
});

test('in another file a line that was begun begins anew', () => {
  const lines = new WaitingLines(1_000_000);
  lines.append(bytes('first\nsecond\n'), 2);
  lines.toLineStart();
  lines.wrote(9);
  lines.toLineStart();
  expect(drain(lines, 99)).toBe('second\n');
  expect(lines.counts).toEqual({ written: 2, lost: 0, waiting: 0 });
});

test('what is given up is lost', () => {
  const lines = new WaitingLines(1_000_000);
  lines.append(bytes('a\nb\n'), 2);
  lines.wrote(2);
  lines.clear();
  expect(lines.counts).toEqual({ written: 1, lost: 1, waiting: 0 });
  expect(lines.next()).toBeUndefined();
});
