import { afterResult, initialRiseFall } from '../../../src/vrrp/tracking/riseFall.js';

describe('rise and fall', () => {
  const verdicts = (results: string, rise: number, fall: number, initFail = false): string[] => {
    let state = initialRiseFall(initFail);
    return Array.from(results).map((result) => {
      state = afterResult(state, result === '+', { rise, fall });
      return state.verdict;
    });
  };

  test('the first result decides, later ones count', () => {
    expect(verdicts('+--++', 2, 2)).toEqual(['good', 'good', 'bad', 'bad', 'good']);
  });
  test('a single failure between successes is forgiven', () => {
    expect(verdicts('+-+-+', 1, 2)).toEqual(['good', 'good', 'good', 'good', 'good']);
  });
  test('a success between failures starts the rise anew', () => {
    expect(verdicts('-+-++', 2, 1)).toEqual(['bad', 'bad', 'bad', 'bad', 'good']);
  });
  test('init_fail needs the whole rise', () => {
    expect(verdicts('++', 2, 1, true)).toEqual(['bad', 'good']);
  });
});
