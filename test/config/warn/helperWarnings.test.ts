/** conntrackd's `Helper` block, as VyOS writes it for its defaults and with everything on. */
import { formatProblems } from '../../../src/config/problem.js';
import { instanceText, load, placesOf } from '../loading.js';

const type = (
  name: string,
  protocol: string,
  queue: number,
): string => `  Type ${name} inet ${protocol} {
    QueueNum ${queue}
    QueueLen 10240
    Policy ${name} {
      ExpectMax 1
      ExpectTimeout 300
    }
  }`;
const helper = (...types: readonly string[]): string =>
  instanceText('', `Helper {\n${types.join('\n')}\n  Setup yes\n}\n`);

test('helpers in user space are accepted, and each is named as not done', () => {
  const result = load(helper(type('rpc', 'tcp', 3), type('rpc', 'udp', 4), type('tns', 'tcp', 5)));
  expect(result.settings).toBeDefined();
  expect(placesOf(result)).toEqual([
    'warning user-space-helper 10:3',
    'warning user-space-helper 18:3',
    'warning user-space-helper 26:3',
  ]);
  expect(result.problems[0]?.message).toContain("'rpc inet tcp' is not done");
});

test('those of the kernel ask for nothing: one line names them', () => {
  const result = load(helper(type('ftp', 'tcp', 0), type('sip', 'udp', 1), type('tftp', 'udp', 2)));
  expect(result.problems.every(({ code }) => code === 'no-effect')).toBe(true);
  const lines = formatProblems(result.problems);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/Type ftp \(line 10\), Type sip .*, Type tftp .* have no effect here/);
});

test('accept_warning settles what is known', () => {
  const known = 'global_defs {\n  accept_warning user-space-helper "rpc is not used"\n}\n';
  const { problems } = load(known + helper(type('rpc', 'tcp', 3)));
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(problems.some(({ code }) => code === 'user-space-helper')).toBe(false);
});
