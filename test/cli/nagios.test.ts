import { spawnSync } from 'node:child_process';
import { nagiosResult, nagiosUnknown } from '../../src/cli/nagios.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { sampleStatus } from './statusSample.js';

const found = (severity: 'error' | 'warning') => ({
  ...{ severity, code: 'split', text: 'two | masters', remedy: 'r' },
});

test('OK, WARNING and CRITICAL by the problems that count', () => {
  const results = [[], [found('warning')], [found('warning'), found('error')]].map((problems) =>
    nagiosResult({ ...sampleStatus, problems }),
  );
  expect(results.map(({ code }) => code)).toEqual([0, 1, 2]);
  expect(results[0]?.line).toMatch(
    /^KEEPSTATE OK: fw1 is MASTER, no problem is known \| master=1 /,
  );
  expect(results[1]?.line).toMatch(/^KEEPSTATE WARNING: fw1 is MASTER, split: two \/ masters \| /);
});

test('one line with one bar, whatever others have named', () => {
  const { line } = nagiosResult({ ...sampleStatus, node: 'a|b\nc\u001b[2J' });
  expect(line.split('|')).toHaveLength(2);
  expect(line).toMatch(/^[\x20-\x7e]+$/);
});

test('who does not answer is UNKNOWN, and so is a wrong option', () => {
  expect(nagiosUnknown('no daemon\n  answers')).toEqual({
    ...{ code: 3, line: 'KEEPSTATE UNKNOWN: no daemon answers' },
  });
  const run = (...words: readonly string[]) => {
    const [program = '', ...args] = [...keepstateCommand(), 'status', '--nagios', ...words];
    return spawnSync(program, args, { encoding: 'utf8' });
  };
  const absent = run('--control', '/nonexistent/control.sock');
  expect([absent.status, absent.stdout]).toEqual([
    3,
    'KEEPSTATE UNKNOWN: no daemon answers at /nonexistent/control.sock\n',
  ]);
  expect(run('--wrong').status).toBe(3);
});
