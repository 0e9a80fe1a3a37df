/** The calls of exporters and scripts, beside the real keepalived 2.2.7 where both must agree. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAsKeepalived } from '../../src/cli/keepalivedName.js';
import { repositoryRoot } from '../lab/runTypescript.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-keepalived-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function run(...words: readonly string[]) {
  const said = { out: '', error: '' };
  const code = runAsKeepalived(words, {
    out: (text) => void (said.out += text),
    error: (text) => void (said.error += text),
  });
  return { code, ...said };
}

const incumbent = (...words: readonly string[]) =>
  spawnSync('/usr/sbin/keepalived', words, { encoding: 'utf8' });

test.each(['JSON', 'DATA', 'STATS', 'STATS_CLEAR', 'STOP', 'RELOAD', 'USR1', 'toString', ''])(
  '--signum=%s prints and exits as keepalived does',
  (word) => {
    const { status, stdout, stderr } = incumbent(`--signum=${word}`);
    const { code, out, error } = run(`--signum=${word}`);
    expect([code, out.trim(), error.trim()]).toEqual([status, stdout.trim(), stderr.trim()]);
  },
);

test.each(['-v', '--version'])('%s: what the exporters read', (word) => {
  const { code, out, error } = run(word);
  const theirs = incumbent(word);
  expect([code, out]).toEqual([theirs.status, theirs.stdout]);
  const versionOf = (text: string) => text.split('\n', 1)[0]?.split(' ')[1];
  expect(versionOf(error)).toBe(versionOf(theirs.stderr));
  expect(error).toContain('--enable-json');
});

const file = (text: string): string => {
  const path = join(directory, 'keepalived.conf');
  writeFileSync(path, text);
  return path;
};
const instance = `vrrp_instance A {\n  interface lo0\n  virtual_router_id 5\n`;

test.each([
  ['-t', '-f'],
  ['--config-test', '--use-file'],
])('a configuration test by %s %s: 0 fine, 5 with what is wrong', (...words) => {
  expect(run(...words, file('global_defs {\n  router_id a\n}\n'))).toMatchObject({ code: 0 });
  const wrong = run(...words, file(`${instance}  bogus 1\n}\n`));
  expect(wrong.code).toBe(5);
  expect(wrong.error).toContain("'bogus'");
  expect(run(...words, join(directory, 'absent.conf')).code).toBe(5);
});

test('anything else says what there is, and starts nothing', () => {
  for (const words of [[], ['-n'], ['-D', '-f', '/x'], ['--vrrp']]) {
    const { code, error } = run(...words);
    expect([code, error]).toEqual([1, expect.stringContaining('systemctl start keepstate')]);
  }
});

test('by a symbolic link of that name', () => {
  const link = join(directory, 'keepalived');
  symlinkSync(join(repositoryRoot, 'bin/keepstate'), link);
  const { status, stdout } = spawnSync(link, ['--signum=JSON'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '36\n']);
});
