import { milliseconds, seconds } from '../../../src/base/time.js';
import { answerTo, hearQuestion, openQuestion } from '../../../src/vrrp/reach/questions.js';
import {
  afterProbe,
  becomeUnable,
  initialAddress,
  type AddressState,
} from '../../../src/vrrp/reach/targetState.js';

const limits = { rise: 2, fall: 2 };

/** `a` answered, `l` lost; the probes are sent at 10, 20, 30 ms. */
function after(outcomes: string): readonly AddressState[] {
  const begun = initialAddress(milliseconds(0));
  const state = Array.from(outcomes).reduce(
    (known, letter, i) =>
      afterProbe(
        known,
        { sentAt: milliseconds(10 * (i + 1)), outcome: letter === 'a' ? 'answered' : 'lost' },
        limits,
        milliseconds(10 * (i + 1) + 5),
      ),
    begun,
  );
  return [state];
}

describe('the question of this node', () => {
  let drawn = 0;
  const draw = (): number => ++drawn;

  beforeEach(() => {
    drawn = 6;
  });

  test.each([
    ['a', 0, 0],
    ['al', 0, 7],
    ['all', 7, 7],
    ['alla', 7, 7],
    ['allaa', 7, 0],
    ['ala', 7, 0],
    ['l', 0, 7],
    ['', 0, 0],
  ])('after %s, with %i open, is %i', (outcomes, open, expected) => {
    expect(openQuestion(open, after(outcomes), 1, draw)).toBe(expected);
  });

  test('is not asked where nothing can be said of the own side', () => {
    const [state] = after('all');
    const unable = [becomeUnable(state ?? initialAddress(seconds(0)), 'x', seconds(1))];
    expect(openQuestion(7, unable, 1, draw)).toBe(0);
  });
});

describe('the question of the peer', () => {
  const heard = (ms: number): { question: number; heardAt: ReturnType<typeof milliseconds> } => ({
    question: 7,
    heardAt: milliseconds(ms),
  });

  test('is heard once, however often it is repeated', () => {
    const first = hearQuestion(undefined, 7, milliseconds(3));
    expect(hearQuestion(first, 7, milliseconds(9))).toEqual(heard(3));
    expect(hearQuestion(first, 8, milliseconds(9))?.heardAt).toBe(milliseconds(9));
    expect(hearQuestion(first, 0, milliseconds(9))).toBeUndefined();
  });

  test.each([
    ['a probe that was sent later was answered', 'aa', 15, false, 'answered'],
    ['only one that was sent before', 'a', 15, false, undefined],
    ['the later one was lost', 'al', 15, false, undefined],
    ['answered, and lost since', 'aal', 15, false, undefined],
    ['lost here too', 'all', 5, false, 'lost'],
    ['the loss counts here, although it answers again', 'aa', 5, true, 'lost'],
    ['nothing is known yet', '', 5, false, undefined],
  ] as const)('%s', (_name, outcomes, at, isHeld, answer) => {
    expect(answerTo(heard(at), after(outcomes), 1, isHeld)).toBe(answer);
  });

  test('is answered with unable where this node cannot ask', () => {
    const [state] = after('a');
    const unable = [becomeUnable(state ?? initialAddress(seconds(0)), 'x', seconds(1))];
    expect(answerTo(heard(5), unable, 1, false)).toBe('unable');
  });
});
