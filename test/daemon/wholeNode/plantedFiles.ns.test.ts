/**
 * What other users and crashes can put under the daemon's names: it starts, serves VRRP, writes
 * nowhere else, and says so.
 */
import { lchownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { follow } from '../../../src/control/client.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { waitFor } from '../../lab/waitFor.js';

jest.setTimeout(300_000);

const nobody = 65_534;
const timers = new SystemTimers(systemClock);

describe('files and processes of other users', () => {
  let lab: Lab;
  let host: Host;
  let daemon: ManagedProcess;
  const at = (...names: string[]): string => join(host.directory, ...names);
  const cli = (...words: string[]) =>
    host.tryExec([...keepstateCommand(), ...words, '--control', at('run/control.sock')]);

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host('a');
    await host.ip(
      'link add lan type veth peer name far',
      'link set lan up',
      'link set far up',
      'addr add 192.0.2.1/24 dev lan',
    );
    for (const name of ['run', 'state', 'tmp']) mkdirSync(at(name));
    await host.exec(['mkfifo', at('run/role.json'), at('state/state.json'), at('lock')]);
    lchownSync(at('lock'), nobody, nobody);
    const entry = { at: '2026-01-01T00:00:00.000Z', name: 'VI', kind: 'instance', from: 'BACKUP' };
    const lines = [
      { ...entry, at: null, to: 'MASTER' },
      { ...entry, to: 'FAULT', because: 'kept' },
    ];
    writeFileSync(
      at('state/history.jsonl'),
      lines.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    writeFileSync(at('victim'), 'precious');
    symlinkSync(at('victim'), at('tmp/keepalived.data'));
    await host.exec(['mkfifo', at('tmp/keepalived.json'), at('tmp/keepalived.stats')]);
  });

  afterAll(async () => {
    await lab.close();
  });

  function start(): void {
    const config = `global_defs {
  state_directory ${at('state')}
}
vrrp_instance VI {
  interface lan
  virtual_router_id 51
  priority 100
  advert_int 0.1
  virtual_ipaddress {
    192.0.2.100/24
  }
}
General {
  LockFile ${at('lock')}
}
Sync {
  Mode NOTRACK {
  }
  UDP {
    IPv4_address 192.0.2.1
    IPv4_Destination_Address 192.0.2.2
    Interface lan
    Port 3780
  }
}
`;
    const file = host.file('node.conf', config);
    daemon = host.start(
      [...keepstateCommand(), 'run', '--config', file, '--control', at('run/control.sock')],
      { env: { TMPDIR: at('tmp') } },
    );
  }

  test('neither a pipe under its names nor a process named keepalived keeps it from starting', async () => {
    const impostor = host.start([
      ...['setpriv', '--reuid', String(nobody), '--clear-groups', 'sh', '-c'],
      'printf keepalived > /proc/self/comm; read line',
    ]);
    await waitFor(() => readFileSync(`/proc/${impostor.pid}/comm`, 'utf8') === 'keepalived\n', {
      description: 'the impostor',
    });
    start();
    await daemon.waitForOutput('keepstate runs', { timeout: 60_000 });
    await daemon.waitForOutput('Entering MASTER STATE', { timeout: 60_000 });
    expect(daemon.output).toContain('a state file cannot be read and counts as absent');
    expect(daemon.output).toContain(
      'what another user had put in the place of LockFile was removed',
    );
    // Beside the control socket and in the state directory the daemon has put its own files.
    await waitFor(() => readFileSync(at('run/role.json'), 'utf8').includes('VI'), {
      description: 'role.json',
    });
  });

  test('the history shows what can be shown of a file with bad lines', async () => {
    expect(daemon.output).toContain('lines of the history are no transitions and are skipped');
    const { exitCode, stdout, stderr } = await cli('history');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('kept');
  });

  test('dumps follow no link and wait for no pipe; the daemon goes on', async () => {
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) daemon.signal(signal);
    await waitFor(() => daemon.output.includes('tmp/keepalived.stats'), {
      description: 'the last dump',
    });
    expect(readFileSync(at('victim'), 'utf8')).toBe('precious');
    for (const folder of ['tmp', 'run']) {
      expect(readFileSync(at(folder, 'keepalived.data'), 'utf8')).toContain('VRRP Instance = VI');
      expect(readFileSync(at(folder, 'keepalived.stats'), 'utf8')).toContain('Advertisements');
    }
    expect((await cli('status')).stdout).toContain('is MASTER');
  });

  test('70 event streams leave the operator a place', async () => {
    let open = 0;
    const streams = Array.from({ length: 70 }, () =>
      follow(
        { path: at('run/control.sock'), timers },
        () => undefined,
        () => open++,
      ),
    );
    try {
      // Those beyond the limit are refused with words; the others stay.
      await waitFor(() => open >= 70 - 32, { description: 'refusals' });
      expect((await cli('status')).stdout).toContain('is MASTER');
    } finally {
      for (const stream of streams) stream.close();
    }
  });

  test('another daemon with the same state_directory shares neither maintenance nor history', async () => {
    expect((await cli('maintenance', 'on', '--force')).exitCode).toBe(0);
    const config = `global_defs {\n  state_directory ${at('state')}\n}\nvrrp_instance B {\n  interface far\n  virtual_router_id 52\n  priority 50\n}\n`;
    // A network namespace has one keepstate: the other one runs elsewhere.
    const elsewhere = await lab.host('b');
    const other = elsewhere.start([
      ...[...keepstateCommand(), 'run', '--config', host.file('other.conf', config)],
      ...['--control', at('other.sock')],
    ]);
    await other.waitForOutput('keepstate runs', { timeout: 60_000 });
    const { stdout } = await elsewhere.tryExec([
      ...[...keepstateCommand(), 'status', '--json', '--control', at('other.sock')],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ maintenance: false });
    expect(other.output).toContain('state_directory belongs to another keepstate');
    await other.stop();
  });

  test('a lock that a crash has left is taken, whatever process has its number now', async () => {
    daemon.signal('SIGKILL');
    await daemon.exited();
    writeFileSync(at('lock'), `${process.pid} \n`);
    rmSync(at('run/role.json'));
    start();
    await daemon.waitForOutput('keepstate runs', { timeout: 60_000 });
    await daemon.stop();
  });
});
