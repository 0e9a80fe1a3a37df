/** Beginnings, ends and acknowledgements of problems. */
import { addTime, seconds, type Microseconds } from '../../../src/base/time.js';
import type { ProblemRecord } from '../../../src/daemon/problemTable/record.js';
import { ProblemLog } from '../../../src/daemon/status/problemLog.js';
import { problem, type Finding } from '../../../src/daemon/problemTable/table.js';
import { parseProblems } from '../../../src/daemon/disk/savedProblems.js';

const epoch = seconds(1_700_000_000);
const at = (second: number): Microseconds => addTime(epoch, seconds(second));
const iso = (second: number): string => new Date((1_700_000_000 + second) * 1_000).toISOString();
const masters = problem('two-masters', 'G: both', { subject: 'G' });
const standby = problem('no-standby', 'G: alone', { subject: 'G' });

class ObservedLog {
  readonly log: ProblemLog;
  now = 0;

  constructor(saved: readonly ProblemRecord[] = []) {
    this.log = new ProblemLog(saved, seconds(0));
  }

  /** `second` seconds after the start this is seen. */
  see(second: number, ...findings: readonly Finding[]): void {
    this.now = second;
    this.log.observe(findings, seconds(second), at(second));
  }

  get codes(): [readonly string[], readonly string[]] {
    const { problems, endedProblems } = this.log.shown(at(this.now));
    return [problems.map(({ code }) => code), endedProblems.map(({ code }) => code)];
  }
}

describe('a problem', () => {
  test('has a beginning, and an end when it is seen no more', () => {
    const observed = new ObservedLog();
    observed.see(1, standby);
    observed.see(2, problem('no-standby', 'G: still alone', { subject: 'G' }));
    expect(observed.log.shown(at(2)).problems).toEqual([
      { ...standby, text: 'G: still alone', begun: iso(1), times: 1, lasting: false },
    ]);
    observed.see(5);
    expect(observed.log.shown(at(5))).toEqual({
      problems: [],
      endedProblems: [
        expect.objectContaining({ code: 'no-standby', begun: iso(1), ended: iso(5) }),
      ],
    });
  });

  test('that has ended counts only where it is of a lasting kind; after an hour it is forgotten', () => {
    const observed = new ObservedLog();
    observed.see(1, masters, standby);
    expect(observed.codes).toEqual([['two-masters', 'no-standby'], []]);
    observed.see(2);
    expect(observed.codes).toEqual([['two-masters'], ['no-standby']]);
    observed.see(3_601);
    expect(observed.codes).toEqual([['two-masters'], ['no-standby']]);
    observed.see(3_602);
    expect(observed.codes).toEqual([[], []]);
    expect(observed.log.records).toEqual([]);
  });

  test('that comes back goes on, and is counted', () => {
    const observed = new ObservedLog();
    observed.see(1, masters);
    observed.see(2);
    observed.see(9, masters);
    expect(observed.log.shown(at(9)).problems).toEqual([
      expect.objectContaining({ begun: iso(9), times: 2 }),
    ]);
    expect(observed.log.shown(at(9)).problems[0]).not.toHaveProperty('ended');
  });

  test('of two subjects is two problems, of one subject the first word for it counts', () => {
    const observed = new ObservedLog();
    observed.see(1, masters, problem('two-masters', 'later', { subject: 'G' }));
    expect(observed.log.shown(at(1)).problems).toMatchObject([{ text: 'G: both' }]);
    observed.see(2, masters, problem('two-masters', 'H', { subject: 'H' }));
    expect(observed.codes[0]).toHaveLength(2);
  });

  test('that must be seen for a while begins after that, and not at all with a break in between', () => {
    const late = problem('vip-not-ours', 't', { after: seconds(3) });
    const observed = new ObservedLog();
    observed.see(1, late);
    observed.see(3, late);
    observed.see(4);
    observed.see(5, late);
    observed.see(7, late);
    expect(observed.codes).toEqual([[], []]);
    observed.see(8, late);
    expect(observed.log.shown(at(8)).problems[0]).toMatchObject({ begun: iso(8) });
    expect(observed.log.shown(at(8)).problems[0]).not.toHaveProperty('after');
  });
});

describe('an acknowledgement', () => {
  test('ends the memory of what is over; what goes on is shown until its end', () => {
    const observed = new ObservedLog();
    observed.see(1, masters, standby);
    observed.see(2, standby);
    expect(observed.log.acknowledge(({ ended }) => ended !== undefined, at(2))).toBe(1);
    expect(observed.codes).toEqual([['no-standby'], []]);
    expect(observed.log.acknowledge(() => true, at(3))).toBe(1);
    expect(observed.log.acknowledge(() => true, at(3))).toBe(0);
    expect(observed.log.shown(at(3)).problems).toMatchObject([{ acknowledged: iso(3) }]);
    observed.see(4);
    expect(observed.codes).toEqual([[], []]);
  });

  test('does not cover the next time', () => {
    const observed = new ObservedLog();
    observed.see(1, masters);
    observed.log.acknowledge(() => true, at(2));
    observed.see(3);
    observed.see(4, masters);
    observed.see(5);
    expect(observed.codes).toEqual([['two-masters'], []]);
  });
});

describe('after a restart', () => {
  const before = (): readonly ProblemRecord[] => {
    const observed = new ObservedLog();
    observed.see(1, masters, standby);
    observed.see(2, standby);
    return parseProblems(JSON.parse(JSON.stringify(observed.log.records)));
  };

  test('what had ended is known, and what went on has some seconds to be seen again', () => {
    const observed = new ObservedLog(before());
    expect(observed.codes).toEqual([['no-standby', 'two-masters'], []]);
    observed.see(14);
    expect(observed.codes[0]).toEqual(['no-standby', 'two-masters']);
    observed.see(15, standby);
    observed.see(16, standby);
    expect(observed.log.shown(at(16)).problems[0]).toMatchObject({ begun: iso(1), times: 1 });
    const other = new ObservedLog(before());
    other.see(14);
    other.see(15);
    expect(other.codes).toEqual([['two-masters'], ['no-standby']]);
  });
});
