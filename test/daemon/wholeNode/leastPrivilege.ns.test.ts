/**
 * The daemon as it is started by hand: what its threads may do, who it is, and what its scripts
 * have.
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCapabilities } from '../../../src/base/capabilities.js';
import { neededCapabilities } from '../../../src/daemon/host/leastPrivilege.js';
import { loadNode } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

let lab: Lab;
let pair: FirewallPair;
let node: KeepstateNode;
let folder: string | undefined;

beforeEach(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
});

afterEach(async () => {
  await lab.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

async function startWith(
  globalLines: readonly string[],
  instanceLines: readonly string[] = [],
): Promise<void> {
  const config = pairConfig({ index: 0, globalLines, instanceLines });
  node = new KeepstateNode(pair.firewalls[0], config);
  await node.start();
  await node.waitForRole('MASTER');
}

const threads = (): readonly string[] => threadsOf(node.process.pid);

/** Of each thread: its user and its effective capabilities. Another set is told with its own. */
function threadsOf(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).map((task) => {
    const status = readFileSync(`${tasks}/${task}/status`, 'utf8');
    const uid = /^Uid:\t(\d+)/m.exec(status)?.[1] ?? '?';
    const { effective, permitted, bounding } = readCapabilities(status);
    const others = [
      ...(permitted === effective ? [] : [`permitted ${permitted.toString(16)}`]),
      // A user other than root gets nothing by it.
      ...(uid !== '0' || bounding === effective ? [] : [`bounding ${bounding.toString(16)}`]),
    ];
    return [uid, effective.toString(16), ...others].join(' ');
  });
}

/** What its configuration says that it needs. */
function needed(file = node.configFile): string {
  const { settings } = loadNode(file, systemLoadPorts());
  return settings === undefined ? 'no settings' : neededCapabilities(settings).toString(16);
}

/** A script that anybody may run, and that writes down who it is and what it may. */
function tellingScript(): { readonly path: string; readonly said: () => string } {
  folder = mkdtempSync(join(tmpdir(), 'kstell'));
  chmodSync(folder, 0o777);
  const path = join(folder, 'tell.sh');
  const said = join(folder, 'said');
  const lines = [
    '#!/bin/sh',
    `{ id -u; grep CapEff /proc/self/status; nft list ruleset > ${said}.nft && echo nft; } > ${said} 2>&1`,
    `mv ${said} ${said}.done`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
  return {
    path,
    said: () => (existsSync(`${said}.done`) ? readFileSync(`${said}.done`, 'utf8') : ''),
  };
}

test('each thread has the capabilities that the configuration needs, and no other', async () => {
  await startWith([]);
  const found = threads();
  expect(found.length).toBeGreaterThan(5);
  expect(new Set(found)).toEqual(new Set([`0 ${needed()}`]));
  // With these it does all its work.
  await startServer(pair.server);
  await startTcp(pair.client, { server: pairAddresses.server, count: 5 });
  await node.waitForStatus(({ sync }) => (sync?.internal.entries ?? 0) >= 5, 'the flows');
  expect((await node.status()).problems.map(({ code }) => code)).toEqual([
    ...['sync-peer-lost', 'no-standby'],
  ]);
});

test('a script with a user of its own has none, and the daemon no more than without it', async () => {
  const { path, said } = tellingScript();
  await startWith([], [`notify_master ${path} nobody`]);
  const text = await waitFor(() => said() || undefined);
  expect(text.split('\n').slice(0, 2)).toEqual(['65534', 'CapEff:\t0000000000000000']);
  expect(new Set(threads())).toEqual(new Set([`0 ${needed()}`]));
});

test('a script of root has what the daemon was started with, and check says which', async () => {
  const { path, said } = tellingScript();
  await startWith(['script_user root'], [`notify_master ${path}`]);
  const text = await waitFor(() => said() || undefined);
  const own = readCapabilities(readFileSync('/proc/self/status', 'utf8')).effective;
  const [uid, capabilities] = text.split('\n');
  expect([uid, BigInt(`0x${capabilities?.split('\t')[1] ?? '0'}`)]).toEqual(['0', own]);
  expect(text).toContain('nft');
  const { stdout } = await node.host.tryExec([
    ...['bin/keepstate', 'check', '--config', node.configFile],
  ]);
  expect(stdout).toContain(
    `scripts as root, with the capabilities that keepstate is started with: ${path}`,
  );
});

test('run_user: no thread is root, and it serves as before, over a reload too', async () => {
  chmodSync(pair.firewalls[0].directory, 0o777);
  await startWith(['run_user nobody']);
  expect(new Set(threads())).toEqual(new Set([`65534 ${needed()}`]));
  expect(statSync(node.controlPath).uid).toBe(65_534);
  expect((await node.cli('status')).stdout).toContain('MASTER');
  node.writeConfig(pairConfig({ index: 0, priority: 140, globalLines: ['run_user nobody'] }));
  expect((await node.cli('reload')).exitCode).toBe(0);
  await node.stop();
  // Its files are its own: it starts again.
  await node.start();
  await node.waitForRole('MASTER');
});

test('a configuration by a pipe is read once: capabilities are left, and run_user is refused', async () => {
  const host = pair.firewalls[0];
  const start = (globalLines: readonly string[]) => {
    const text = pairConfig({ index: 0, globalLines }).replaceAll('@DIRECTORY@', host.directory);
    const file = host.file('piped.conf', text);
    const command = [...keepstateCommand(), 'run', '--config', '/dev/fd/3'].join(' ');
    return host.start(['bash', '-c', `exec 3< <(cat ${file}); exec ${command}`]);
  };
  const plain = start([]);
  await plain.waitForOutput('keepstate runs', { timeout: 60_000 });
  const file = join(host.directory, 'piped.conf');
  expect(new Set(threadsOf(plain.pid))).toEqual(new Set([`0 ${needed(file)}`]));
  await plain.stop();
  const refused = start(['run_user nobody']);
  expect((await refused.exited()).code).toBe(1);
  expect(refused.output).toContain('run_user nobody: the daemon is still root');
});
