/** What dpkg runs around an upgrade, with programs that only write down how they were called. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';

interface Machine {
  /**
   * Programs that fail, by how the call begins, with their exit status: `{ 'keepstate status': 2
   * }`.
   */
  readonly failing?: Readonly<Record<string, number>>;
  readonly hasSystemd?: boolean;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-postinst-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The calls in their order, and what the script said. */
function runScript(
  script: string,
  words: readonly string[],
  { failing = {}, hasSystemd = true }: Machine = {},
): { readonly calls: readonly string[]; readonly said: string; readonly status: number | null } {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  if (hasSystemd) mkdirSync(join(folder, 'run/systemd/system'), { recursive: true });
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  const cases = Object.entries(failing)
    .map(([prefix, status]) => `"${prefix}"*) exit ${status} ;;`)
    .join('\n');
  const said = '"keepstate failover"*) echo "handed over in 5 ms" ;;';
  for (const name of ['systemctl', 'deb-systemd-helper', 'deb-systemd-invoke', 'keepstate']) {
    const path = join(programs, name);
    const text = `#!/bin/sh\ncall="${name} $*"\necho "$call" >>${log}\ncase $call in\n${cases}\n${said}\nesac\n`;
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
  const path = join(repositoryRoot, 'scripts/package/debian', script);
  const done = spawnSync('/bin/sh', [path, ...words], {
    encoding: 'utf8',
    env: { PATH: `${programs}:/usr/bin:/bin`, DPKG_ROOT: folder },
  });
  const calls = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return { calls, said: done.stdout + done.stderr, status: done.status };
}

const ofDaemon = (calls: readonly string[]): readonly string[] =>
  calls.filter((call) => /^keepstate|^deb-systemd-invoke/.test(call));

const previous = (): string => join(folder, 'usr/lib/keepstate.previous');
const dropIn = (): string =>
  join(folder, 'etc/systemd/system/keepstate.service.d/previous-version.conf');

function installOld(): void {
  mkdirSync(join(folder, 'usr/lib/keepstate/bin'), { recursive: true });
  writeFileSync(join(folder, 'usr/lib/keepstate/bin/keepstate'), 'old');
}

describe('an upgrade', () => {
  beforeEach(installOld);

  test('keeps the version that runs and hands the role over before any file changes', () => {
    const { calls, said, status } = runScript('preinst', ['upgrade', '0.1.0', '0.2.0']);
    expect(ofDaemon(calls)).toEqual(['keepstate failover --stay']);
    expect(said).toBe('keepstate: handed over in 5 ms\n');
    // dpkg puts another file in its place.
    rmSync(join(folder, 'usr/lib/keepstate'), { recursive: true });
    expect(readFileSync(join(previous(), 'bin/keepstate'), 'utf8')).toBe('old');
    expect(status).toBe(0);
  });

  test('goes on where the hand-over is refused', () => {
    const failing = { 'keepstate failover': 1 };
    const { said, status } = runScript('preinst', ['upgrade', '0.1.0', '0.2.0'], { failing });
    expect({ said, status }).toEqual({ said: '', status: 0 });
  });

  test('restarts, waits for the peer, and keeps nothing of before', () => {
    runScript('preinst', ['upgrade', '0.1.0', '0.2.0']);
    const { calls, said, status } = runScript('postinst', ['configure', '0.1.0']);
    expect(ofDaemon(calls)).toEqual([
      'deb-systemd-invoke restart keepstate.service',
      'keepstate status --wait 30',
    ]);
    expect({ said, status }).toEqual({ said: '', status: 0 });
    expect(existsSync(previous())).toBe(false);
  });

  test('says that a problem is shown', () => {
    const failing = { 'keepstate status': 1 };
    const { said, status } = runScript('postinst', ['configure', '0.1.0'], { failing });
    expect(said).toContain('shows a problem');
    expect(status).toBe(0);
  });

  test.each([
    ['does not start', { 'deb-systemd-invoke restart': 1 }],
    ['does not answer', { 'keepstate status': 2 }],
  ])('whose new version %s starts the one before, and says so', (_what, failing) => {
    runScript('preinst', ['upgrade', '0.1.0', '0.2.0']);
    const { calls, said, status } = runScript('postinst', ['configure', '0.1.0'], { failing });
    expect(ofDaemon(calls).at(-1)).toBe('deb-systemd-invoke start keepstate.service');
    expect(readFileSync(dropIn(), 'utf8')).toContain('ExecStart=/usr/lib/keepstate.previous/run');
    expect(said).toContain('did not start: the one before runs again');
    expect(status).toBe(0);
    // The next upgrade keeps what runs, and not the version that did not start.
    runScript('preinst', ['upgrade', '0.2.0', '0.2.1']);
    expect(readFileSync(join(previous(), 'bin/keepstate'), 'utf8')).toBe('old');
    runScript('postinst', ['configure', '0.2.0']);
    expect(existsSync(dropIn()) || existsSync(previous())).toBe(false);
  });

  test('says it where neither starts, and where nothing was kept', () => {
    const failing = { 'deb-systemd-invoke restart': 1, 'deb-systemd-invoke start': 1 };
    expect(runScript('postinst', ['configure', '0.1.0'], { failing }).said).toContain(
      'did not start',
    );
    runScript('preinst', ['upgrade', '0.1.0', '0.2.0']);
    expect(runScript('postinst', ['configure', '0.1.0'], { failing }).said).toContain('neither');
  });

  test('leaves a stopped daemon stopped', () => {
    const failing = { 'systemctl --quiet is-active': 3 };
    expect(
      ofDaemon(runScript('preinst', ['upgrade', '0.1.0', '0.2.0'], { failing }).calls),
    ).toEqual([]);
    expect(ofDaemon(runScript('postinst', ['configure', '0.1.0'], { failing }).calls)).toEqual([]);
  });
});

test('a first installation starts the unit, which waits for its configuration', () => {
  const { calls } = runScript('postinst', ['configure', '']);
  expect(ofDaemon(calls)).toEqual(['deb-systemd-invoke start keepstate.service']);
});

test('without systemd nothing is started or stopped', () => {
  expect(ofDaemon(runScript('postinst', ['configure', ''], { hasSystemd: false }).calls)).toEqual(
    [],
  );
});

test('a removal stops the daemon, an upgrade leaves it running until the new version is there', () => {
  expect(ofDaemon(runScript('prerm', ['upgrade', '0.2.0']).calls)).toEqual([]);
  rmSync(join(folder, 'bin'), { recursive: true });
  rmSync(join(folder, 'run'), { recursive: true });
  expect(ofDaemon(runScript('prerm', ['remove']).calls)).toEqual([
    'deb-systemd-invoke stop keepstate.service',
  ]);
});
