import { formatReport, formatVerdict, judge, losses, summarise } from '../../bench/framework.js';

const figures = {
  ours: summarise([{ cost: 3 }, { cost: 1 }, { cost: 2, extra: 5 }]),
  theirs: summarise([{ cost: 8 }, { cost: 4 }]),
};

describe('benchmark framework', () => {
  test('summarises by median, minimum and maximum, and keeps the runs', () => {
    expect(figures.ours['cost']).toEqual({ median: 2, min: 1, max: 3, runs: [3, 1, 2] });
    expect(figures.theirs['cost']?.median).toBe(6);
    expect(figures.ours['extra']?.runs).toEqual([5]);
  });

  test('judges a figure, or its ratio to another candidate', () => {
    const cost = { figure: 'cost', candidate: 'ours' };
    expect(judge({ ...cost, atMost: 2 }, figures)).toMatchObject({ median: 2, isMet: true });
    expect(judge({ ...cost, atMost: 1.9 }, figures).isMet).toBe(false);
    expect(judge({ ...cost, against: 'theirs', atMost: 0.5 }, figures)).toMatchObject({
      ratio: 2 / 6,
      isMet: true,
    });
    expect(judge({ ...cost, against: 'theirs', atLeast: 0.5 }, figures).isMet).toBe(false);
  });

  test('a figure that nobody measured is missed, not met', () => {
    expect(judge({ figure: 'other', candidate: 'ours', atMost: 1 }, figures).isMet).toBe(false);
    expect(judge({ figure: 'cost', candidate: 'nobody' }, figures).isMet).toBe(false);
  });

  test('the report names each figure and each verdict', () => {
    const verdicts = [
      judge({ figure: 'cost', candidate: 'ours', against: 'theirs', atMost: 0.5 }, figures),
      judge({ figure: 'cost', candidate: 'theirs', atMost: 5 }, figures),
    ];
    const text = formatReport({
      name: 'sample',
      description: 'made up',
      machine: {},
      repeats: 3,
      figures,
      verdicts,
    });
    expect(text).toContain('cost  2  (1 .. 3)');
    expect(text).toContain('ours cost: 0.3333 times theirs, at most 0.5: met');
    expect(text).toContain('theirs cost: 6, at most 5: MISSED');
  });

  test('what is compared by its difference is missed where that is too much', () => {
    const against = { figure: 'cost', candidate: 'theirs', against: 'ours' } as const;
    expect(judge({ ...against, beyondAtMost: 4 }, figures)).toMatchObject({
      beyond: 4,
      isMet: true,
    });
    const missed = judge({ ...against, beyondAtMost: 3 }, figures);
    expect(formatVerdict(missed)).toBe('theirs cost: 3 times ours, 4 more, at most 3 more: MISSED');
    expect(judge({ ...against, against: 'nobody', beyondAtMost: 9 }, figures).isMet).toBe(false);
  });

  test('says of a run what was lost, and nothing where nothing was', () => {
    const run = { cost: 3, eventsLost: 2, flowsLeftBehind: 0, missing: 7 };
    expect(losses('ours', run)).toEqual(['ours eventsLost: 2', 'ours missing: 7']);
    expect(losses('ours', { cost: 3, eventsLost: 0 })).toEqual([]);
  });
});
