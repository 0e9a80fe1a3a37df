/** The real keepalived and conntrackd beside keepstate: what does other work may run. */
import { join } from 'node:path';
import { Conntrackd } from '../../lab/conntrackd.js';
import { firewallPair } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Keepalived } from '../../lab/keepalived.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const routes = `vrrp_instance OTHER {
  interface wan
  virtual_router_id 77
  priority 10
  virtual_ipaddress {
    10.2.0.77/24
  }
}
`;
const balances = `virtual_server 10.9.0.1 80 {
  lb_algo rr
  protocol TCP
  real_server 10.9.0.2 80 {
    TCP_CHECK {
      connect_timeout 3
    }
  }
}
`;

describe('beside keepstate', () => {
  let lab: Lab;
  let host: Host;
  let node: KeepstateNode;

  beforeAll(async () => {
    lab = await Lab.open();
    host = (await firewallPair(lab)).firewalls[0];
    node = new KeepstateNode(host, pairConfig({ index: 0 }));
  });

  afterAll(() => lab.close());

  const statsOnly = (): string => `General {
  HashSize 1024
  HashLimit 8192
  LockFile ${join(host.directory, 'stats.lock')}
  UNIX {
    Path ${join(host.directory, 'stats.ctl')}
  }
}
Stats {
  LogFile ${join(host.directory, 'stats.log')}
}
`;
  const codes = async (): Promise<readonly string[]> =>
    (await node.status()).problems.map(({ code }) => code);
  /** Ends with the start, or with its refusal. */
  const startOutcome = (): Promise<string> =>
    node.start().then(
      () => 'runs',
      (error: unknown) => String(error),
    );

  test('a keepalived that routes is refused, one that was given -C is not', async () => {
    const keepalived = await Keepalived.start(host, routes);
    expect(await startOutcome()).toContain(
      'does the same work: systemctl disable --now keepalived',
    );
    await keepalived.process.kill();
    const checker = await startChecker(host, routes, '-C');
    expect(await startOutcome()).toBe('runs');
    expect(await codes()).not.toContain('incumbent-running');
    await node.stop();
    await checker.kill();
  });

  test('a keepalived whose file only balances load may run', async () => {
    const checker = await startChecker(host, balances);
    expect(await startOutcome()).toBe('runs');
    expect(await codes()).not.toContain('incumbent-running');
    await node.stop();
    await checker.kill();
  });

  test('a conntrackd that only logs may run, one that replicates is refused', async () => {
    const logger = await Conntrackd.startWithConfig(host, statsOnly());
    expect(await startOutcome()).toBe('runs');
    expect(await codes()).not.toContain('incumbent-running');
    await node.stop();
    await logger.process.kill();
    const link = { kind: 'udp', local: '10.3.0.1', destination: '10.3.0.2' } as const;
    const replicator = await Conntrackd.start(host, {
      ...{ mode: 'NOTRACK', link: { ...link, interfaceName: 'sync', port: 3790 } },
    });
    expect(await startOutcome()).toContain(
      'does the same work: systemctl disable --now conntrackd',
    );
    await replicator.process.kill();
  });
});

/** Without IPVS in the kernel its checker may end; the daemon stays. */
async function startChecker(
  host: Host,
  config: string,
  ...words: readonly string[]
): Promise<ManagedProcess> {
  const file = host.file('lvs.conf', config);
  const pids = [
    '-p',
    host.path('lvs.pid'),
    '-c',
    host.path('checkers.pid'),
    '-r',
    host.path('v.pid'),
  ];
  const started = host.start(['keepalived', '-n', '-l', '-D', ...words, '-f', file, ...pids]);
  await started.waitForOutput(/Starting Keepalived|Startup complete/);
  return started;
}
