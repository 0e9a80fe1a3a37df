import { milliseconds } from '../../../src/base/time.js';
import {
  addressVerdict,
  afterProbe,
  becomeUnable,
  initialAddress,
  isAnsweredSince,
  isInDoubt,
  targetVerdict,
  type AddressState,
  type ProbeOutcome,
} from '../../../src/vrrp/reach/targetState.js';

const limits = { rise: 3, fall: 2 };
const at = milliseconds;

/** `a` answered, `l` lost, `b` blind, one each 10 ms. */
function after(outcomes: string, from = initialAddress(at(0))): AddressState {
  const words: Record<string, ProbeOutcome> = { a: 'answered', l: 'lost', b: 'blind' };
  return Array.from(outcomes).reduce((state, letter, i) => {
    const outcome = words[letter] ?? 'blind';
    return afterProbe(state, { sentAt: at(10 * i), outcome }, limits, at(10 * i + 5));
  }, from);
}

describe('one address', () => {
  test.each([
    ['', 'unknown'],
    ['a', 'good'],
    ['l', 'unknown'],
    ['ll', 'bad'],
    ['lal', 'good'],
    ['al', 'good'],
    ['all', 'bad'],
    ['alal', 'good'],
    ['allaa', 'bad'],
    ['allaaa', 'good'],
    ['llaaa', 'good'],
    ['abbbbb', 'good'],
    ['allbbbb', 'bad'],
    ['b', 'unknown'],
  ])('%s is %s', (outcomes, verdict) => {
    expect(addressVerdict(after(outcomes))).toBe(verdict);
  });

  test('has its verdict since the probe that decided it', () => {
    expect(after('aall').since).toBe(at(35));
    expect(after('aallll').since).toBe(at(35));
  });

  test('that cannot be asked keeps what was known, and has it back with the next answer', () => {
    const unable = becomeUnable(after('all'), 'no route', at(100));
    expect([addressVerdict(unable), unable.since]).toEqual(['unable', at(100)]);
    expect(becomeUnable(unable, 'no route', at(200)).since).toBe(at(100));
    expect(addressVerdict(after('l', unable))).toBe('bad');
    expect(addressVerdict(after('aaa', unable))).toBe('good');
  });

  test('an answer that comes behind that of a later probe is not the latest', () => {
    const state = after('al');
    const late = { sentAt: at(5), outcome: 'answered' } as const;
    expect(afterProbe(state, late, limits, at(50)).latest).toEqual({
      sentAt: at(10),
      isAnswered: false,
    });
  });
});

describe('several addresses', () => {
  const states = (...outcomes: readonly string[]): AddressState[] =>
    outcomes.map((one) => (one === 'u' ? becomeUnable(after(''), 'x', at(1)) : after(one)));

  test.each([
    [['a', 'll'], 1, 'good'],
    [['a', 'll'], 2, 'bad'],
    [['a', 'a', 'll'], 2, 'good'],
    [['ll', 'll'], 1, 'bad'],
    [['', 'll'], 1, 'unknown'],
    [['u', 'll'], 1, 'unable'],
    [['u', 'a'], 1, 'good'],
    [['u', 'a', 'll'], 2, 'unable'],
    [['u', 'll', 'll'], 2, 'bad'],
    [['u', ''], 1, 'unknown'],
  ] as const)('%j with %i required are %s', (outcomes, required, verdict) => {
    expect(targetVerdict(states(...outcomes), required)).toBe(verdict);
  });

  test('are in doubt when the last probes of too many were lost', () => {
    expect(isInDoubt(states('al', 'a'), 1)).toBe(false);
    expect(isInDoubt(states('al', 'a'), 2)).toBe(true);
    expect(isInDoubt(states('al', 'al'), 1)).toBe(true);
    expect(isInDoubt(states('la', ''), 2)).toBe(false);
  });

  test('have answered since a moment only by probes that were sent later', () => {
    expect(isAnsweredSince(states('aa'), 1, at(9))).toBe(true);
    expect(isAnsweredSince(states('aa'), 1, at(10))).toBe(false);
    expect(isAnsweredSince(states('aal'), 1, at(5))).toBe(false);
    expect(isAnsweredSince(states('aa', 'aal'), 2, at(5))).toBe(false);
  });
});
