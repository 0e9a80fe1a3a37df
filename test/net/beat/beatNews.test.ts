import { newsOf, type NewsInputs } from '../../../src/net/beat/beatNews.js';
import {
  readReport,
  reportWords,
  type BeatPathState,
  type BeatReport,
} from '../../../src/net/beat/beatReport.js';
import type { HeardBeat } from '../../../src/net/beat/heardBeat.js';

const nothing = readReport(reportWords(), 0);
const inputs: NewsInputs = {
  names: new Map([
    [0, 'sync'],
    [1, 'lan'],
  ]),
  ownLoopLimit: 300,
  beat: undefined,
  stranger: undefined,
};

function withPaths(...states: BeatPathState[]): BeatReport {
  const blank = readReport(reportWords(), 1).paths.get(0)!;
  return { ...nothing, paths: new Map(states.map((state, i) => [i, { ...blank, state }])) };
}

test('a path is told when its state changes, and not again', () => {
  const first = withPaths('living', 'unknown');
  expect(newsOf(undefined, first, inputs)).toEqual([
    { kind: 'path', path: 'sync', state: 'living' },
  ]);
  expect(newsOf(first, first, inputs)).toEqual([]);
  expect(newsOf(first, withPaths('silent', 'down'), inputs)).toEqual([
    { kind: 'path', path: 'sync', state: 'silent' },
    { kind: 'path', path: 'lan', state: 'down' },
  ]);
});

test('a path that was removed meanwhile is not told', () => {
  const names = new Map([[1, 'lan']]);
  expect(newsOf(undefined, withPaths('living'), { ...inputs, names })).toEqual([]);
});

test('late and silent are told with the time since the newest beat, each once', () => {
  const late = { ...nothing, isAllLate: true, peerHeard: 51 };
  const silent = { ...nothing, isAllLate: true, isAllSilent: true, peerHeard: 101 };
  expect(newsOf(nothing, late, inputs)).toEqual([{ kind: 'allLate', milliseconds: 51 }]);
  expect(newsOf(late, silent, inputs)).toEqual([{ kind: 'allSilent', milliseconds: 101 }]);
  expect(newsOf(silent, { ...silent, peerHeard: 400 }, inputs)).toEqual([]);
  expect(newsOf(nothing, silent, inputs)).toHaveLength(2);
});

test("the peer's loop stands and turns; how late its thread was is told when it changes", () => {
  const stands = { ...nothing, peerLoopStands: true, peerLoopAge: 800, peerLateness: 40 };
  expect(newsOf(nothing, stands, inputs)).toEqual([
    { kind: 'peerLateness', milliseconds: 40 },
    { kind: 'peerLoopStands', milliseconds: 800 },
  ]);
  expect(newsOf(stands, { ...nothing, peerLateness: 40 }, inputs)).toEqual([
    { kind: 'peerLoopTurns' },
  ]);
});

test('what the own loop missed comes first, then what the peer says', () => {
  const beat: HeardBeat = {
    ...{ session: '0011223344556677', sequence: 4, interval: 20, lateness: 0, loopAge: 0 },
    content: new Uint8Array(3),
  };
  const report = { ...withPaths('living'), longestStand: 300 };
  const told = newsOf(nothing, report, { ...inputs, beat, stranger: beat });
  expect(told.map(({ kind }) => kind)).toEqual(['ownLoopStood', 'stranger', 'beat', 'path']);
  expect(newsOf(nothing, { ...report, longestStand: 299 }, inputs)).toHaveLength(1);
  expect(newsOf(nothing, report, { ...inputs, ownLoopLimit: 0 })).toHaveLength(1);
});
