/** Whether a loss counts: one case per line, as an operator would say it. */
import { seconds } from '../../../src/base/time.js';
import {
  compare,
  uncounted,
  type Comparison,
  type PeerStanding,
  type Standing,
} from '../../../src/vrrp/reach/comparison.js';
import type { AddressVerdict } from '../../../src/vrrp/reach/targetState.js';

const hold = seconds(30);
const none: PeerStanding = { kind: 'none' };
const silent: PeerStanding = { kind: 'silent' };
type Present = Extract<PeerStanding, { kind: 'present' }>;
const says = (answer: Present['answer'], canServe = true): PeerStanding => ({
  ...{ kind: 'present', canServe, answer },
});
const counted: Comparison = { counts: true, since: seconds(100), standing: 'lost-here-only' };

type Row = readonly [
  name: string,
  before: Comparison,
  own: AddressVerdict,
  peer: PeerStanding,
  counts: boolean,
  standing: Standing,
  more: { readonly at?: number; readonly hearsMaster?: boolean },
];

/** A row without further facts. */
type ShortRow = readonly [Row[0], Row[1], Row[2], Row[3], Row[4], Row[5]];

const rows: readonly (Row | ShortRow)[] = [
  // Nobody to compare with: as keepalived counts a track_script.
  ['alone: reached', uncounted, 'good', none, false, 'reached'],
  ['alone: lost counts', uncounted, 'bad', none, true, 'lost'],
  ['alone: reached again at once', counted, 'good', none, false, 'reached'],
  ['alone: no answer yet', uncounted, 'unknown', none, false, 'unknown'],
  ['alone: cannot ask', uncounted, 'unable', none, false, 'unable'],
  ['alone: cannot ask any more', counted, 'unable', none, false, 'unable'],
  // With a keepstate peer.
  ['reached by both', uncounted, 'good', says(undefined), false, 'reached'],
  ['the peer reaches it', uncounted, 'bad', says('answered'), true, 'lost-here-only'],
  ['both have lost it', uncounted, 'bad', says('lost'), false, 'lost-by-both'],
  ['the peer has not said yet', uncounted, 'bad', says(undefined), false, 'peer-not-heard-yet'],
  ['the peer cannot ask', uncounted, 'bad', says('unable'), false, 'peer-unable'],
  ['the peer is silent', uncounted, 'bad', silent, false, 'peer-silent'],
  ['the peer tracks no such target', uncounted, 'bad', says('untracked'), true, 'lost'],
  ['the peer is in FAULT', uncounted, 'bad', says('answered', false), false, 'peer-cannot-serve'],
  ['in FAULT, no target', uncounted, 'bad', says('untracked', false), false, 'peer-cannot-serve'],
  ['no verdict yet', uncounted, 'unknown', says('answered'), false, 'unknown'],
  ['this node cannot ask', uncounted, 'unable', says('answered'), false, 'unable'],
  // What counts goes on counting.
  ['the peer loses it later', counted, 'bad', says('lost'), true, 'lost-by-both'],
  ['the peer says nothing new', counted, 'bad', says(undefined), true, 'lost-here-only'],
  ['reached again too soon', counted, 'good', says('answered'), true, 'held', { at: 129 }],
  ['reached for long enough', counted, 'good', says(undefined), false, 'reached', { at: 130 }],
  [
    'lost again while it is held',
    { ...counted, standing: 'held' },
    'bad',
    says('lost'),
    true,
    'lost-by-both',
  ],
  ['cannot be asked meanwhile', counted, 'unable', says(undefined), true, 'lost-here-only'],
  // A target alone keeps nobody from the role.
  ['the peer falls silent', counted, 'bad', silent, false, 'peer-silent'],
  ['the peer gets a fault', counted, 'bad', says('answered', false), false, 'peer-cannot-serve'],
  [
    'silent, but its adverts are heard',
    counted,
    'bad',
    silent,
    true,
    'lost-here-only',
    { hearsMaster: true },
  ],
  ['silent, and reached here', counted, 'good', silent, false, 'reached'],
];

test.each(rows.map((row): Row => (row.length === 7 ? row : [...row, {}])))('%s', (...row) => {
  const [, before, verdict, peer, counts, standing, more] = row;
  const { at = 110, hearsMaster = false } = more;
  const after = compare(before, { verdict, hearsMaster }, peer, seconds(at), hold);
  expect([after.counts, after.standing]).toEqual([counts, standing]);
  // Since when it counts is the beginning, and only where it counts.
  const since = before.counts && counts ? seconds(100) : seconds(at);
  expect(after.since).toBe(counts ? since : undefined);
});

test('a loss soon after the last one is held for longer and longer', () => {
  const good = { verdict: 'good', hearsMaster: false } as const;
  const bad = { verdict: 'bad', hearsMaster: false } as const;
  let known = counted;
  let at = 100;
  for (const held of [30, 120, 480, 1_920, 1_920]) {
    known = compare(known, good, says(undefined), seconds(at + held - 1), hold);
    expect(known.standing).toBe('held');
    known = compare(known, good, says(undefined), seconds(at + held), hold);
    expect(known.standing).toBe('reached');
    at += held + 599;
    known = compare(known, bad, says('answered'), seconds(at), hold);
    expect(known.counts).toBe(true);
  }
  known = compare(known, good, says(undefined), seconds(at + 1_920), hold);
  known = compare(known, bad, says('answered'), seconds(at + 2_520), hold);
  expect(known.repeats).toBeUndefined();
});

test('from each state, what both have lost moves nothing', () => {
  const verdicts: readonly AddressVerdict[] = ['unknown', 'bad', 'unable'];
  for (const before of [uncounted, counted]) {
    for (const verdict of verdicts) {
      const own = { verdict, hearsMaster: false };
      const after = compare(before, own, says('lost'), seconds(500), hold);
      expect(after.counts).toBe(before.counts);
    }
  }
});
