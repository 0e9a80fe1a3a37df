import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import type { Bridge } from './bridge.js';
import { run } from './command.js';
import { Lab } from './lab.js';
import { listNamespaces, removeStaleLabs } from './namespaces.js';
import type { Host } from './host.js';
import { waitFor } from './waitFor.js';

jest.setTimeout(300_000);

describe('the namespace laboratory', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let lan: Bridge;

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    lan = await lab.bridge('lan');
    await lan.attach(a, 'eth0', ['10.7.0.1/24', 'fd07::1/64']);
    await lan.attach(b, 'eth0', ['10.7.0.2/24', 'fd07::2/64']);
  });

  afterAll(async () => {
    await lab.close();
  });

  test('hosts on a bridge reach each other over IPv4 and IPv6', async () => {
    await waitFor(() => a.exec(['ping', '-c', '1', '-W', '1', '10.7.0.2']));
    await waitFor(() => a.exec(['ping', '-c', '1', '-W', '1', 'fd07::2']));
  });

  test('a capture has the raw frames and what tshark makes of them', async () => {
    const capture = await b.capture('eth0', { filter: 'icmp', direction: 'in' });
    await waitFor(() => a.exec(['ping', '-c', '1', '-W', '1', '10.7.0.2']));
    const [frame] = await capture.waitForFrames(1);
    await capture.stop();
    expect(frame?.bytes.subarray(26, 34).toString('hex')).toBe('0a0700010a070002');
    const [row] = await capture.fields(['ip.src', 'icmp.type']);
    expect(row).toEqual(['10.7.0.1', '8']);
    expect((await capture.json('icmp')).length).toBeGreaterThan(0);
  });

  test('a cut cable is carrier loss at the host, which stays administratively up', async () => {
    const flags = async (): Promise<string[]> =>
      ((await a.ipJson('link', 'show', 'dev', 'eth0')) as { flags: string[] }[])[0]?.flags ?? [];
    await lan.cut(a, 'eth0');
    await waitFor(async () => (await flags()).includes('NO-CARRIER'));
    expect(await flags()).toContain('UP');
    await lan.restore(a, 'eth0');
    await waitFor(async () => (await flags()).includes('LOWER_UP'));
  });

  test('loss of 100 % stops the traffic and 0 % lets it through again', async () => {
    const ping = async (): Promise<number> =>
      (await a.tryExec(['ping', '-c', '1', '-W', '1', '10.7.0.2'])).exitCode;
    await b.loseInput(100, 'icmp type echo-request');
    expect(await ping()).not.toBe(0);
    await b.loseInput(0);
    await waitFor(async () => (await ping()) === 0);
    await lan.lose(b, 'eth0', 100);
    expect(await ping()).not.toBe(0);
    await lan.lose(b, 'eth0', 0);
    await waitFor(async () => (await ping()) === 0);
  });

  test('a program is frozen, thawed and stopped, and its children go with it', async () => {
    const shell = a.start(['sh', '-c', 'sleep 1000 & while :; do date +%N; sleep 0.05; done']);
    await shell.waitForOutput(/\d+\n\d+\n/);
    shell.freeze();
    const state = (): string =>
      spawnSync('ps', ['-o', 's=', '-p', `${shell.pid}`])
        .stdout.toString()
        .trim();
    await waitFor(() => state() === 'T');
    const frozen = shell.stdout;
    await waitFor(() => state() === 'T', { interval: 200 });
    expect(shell.stdout).toBe(frozen);
    shell.thaw();
    await waitFor(() => shell.stdout.length > frozen.length);
    await shell.stop();
    expect(shell.isRunning).toBe(false);
    expect((await run(['ip', 'netns', 'pids', a.namespace])).trim()).toBe('');
  });

  test('a program that ends early is reported with its output, not waited for', async () => {
    const shell = a.start(['sh', '-c', 'echo broken >&2; exit 3']);
    await expect(shell.waitForOutput('ready')).rejects.toThrow('broken');
    expect(await shell.exited()).toEqual({ code: 3, signal: null });
  });

  test('TypeScript of this repository runs inside a host without a build', async () => {
    const file = a.file('probe.ts', 'const n: number = 41; console.log(`{"n":${n + 1}}`);');
    const probe = a.startTypescript(file);
    expect((await probe.exited()).code).toBe(0);
    expect(probe.jsonLines()).toEqual([{ n: 42 }]);
  });

  test('what a dead run left behind is removed, with the processes in it', async () => {
    const dead = spawnSync('true').pid;
    const stale = `ks${dead}xabcd-orphan`;
    // The name comes last: what finds the namespace, finds the process in it.
    const left = Number(
      spawnSync('sh', [
        '-c',
        'setsid unshare --net sleep 1000 >/dev/null 2>&1 & echo $!',
      ]).stdout.toString(),
    );
    const ours = readlinkSync('/proc/self/ns/net');
    await waitFor(() => readlinkSync(`/proc/${left}/ns/net`) !== ours);
    spawnSync('ip', ['netns', 'attach', stale, `${left}`]);
    expect(await listNamespaces()).toContain(stale);
    // Another laboratory that opens meanwhile may be first.
    await removeStaleLabs();
    await waitFor(() => !existsSync(`/proc/${left}`), { description: 'the orphan to be gone' });
    expect(await listNamespaces()).not.toContain(stale);
  });

  test('a closed lab leaves nothing', async () => {
    const other = await Lab.open();
    const host = await other.host('x');
    host.start(['sleep', '1000']);
    await other.close();
    expect((await listNamespaces()).filter((name) => name.startsWith(other.prefix))).toEqual([]);
  });
});
