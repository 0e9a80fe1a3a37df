import { natProblems } from '../../../src/daemon/host/natWatch.js';

test('a ruleset whose NAT stays on the node is a problem', () => {
  const rule = { outputInterface: 'wan', address: undefined } as const;
  expect(natProblems([]).map((one) => one.code)).toEqual([]);
  const found = natProblems([
    { ...rule, kind: 'masquerade' },
    { ...rule, kind: 'snat', address: '192.0.2.1' },
  ]);
  expect(found.map((one) => one.code)).toEqual(['masquerade', 'snat-stays']);
  expect(found[0]?.text).toContain('wan');
});
