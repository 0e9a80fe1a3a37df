/**
 * Both daemons end at once and come back in some order while both kernels go on: every flow is
 * still in the kernel of whoever is MASTER in the end, also after the other one's purge.
 */
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { seconds, type Microseconds } from '../../../src/base/time.js';
import { firewallPair, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { ConntrackInjector } from '../../support/conntrack/ctInjector.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(2_400_000);

const flows = 2_000;
const isFull = process.env['KEEPSTATE_FULL'] === '1';
const timers = new SystemTimers(systemClock);
const purgeEnds = /purge of the kernel table(?! scheduled)/g;

interface Round {
  readonly first: 'MASTER' | 'BACKUP';
  readonly pauseSeconds: number;
}

/** The one that was seen to lose everything; all of them in each order, with pauses of 0 to 3 s. */
const rounds: readonly Round[] = isFull
  ? (['BACKUP', 'MASTER'] as const).flatMap((first) =>
      Array.from({ length: 20 }, (_, i) => ({ first, pauseSeconds: (i * 3) / 19 })),
    )
  : [{ first: 'BACKUP', pauseSeconds: 2 }];

describe('both daemons end, and both kernels go on', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const config = (index: 0 | 1): string =>
      pairConfig({
        index,
        // Master-down within a second: the first of the two that comes back is MASTER before the
        // other.
        advertSeconds: 0.25,
        globalLines: ['vrrp_version 3'],
        instanceLines: ['nopreempt'],
        modeLines: ['PurgeTimeout 3'],
      });
    const [fw1, fw2] = pair.firewalls;
    nodes = [new KeepstateNode(fw1, config(0)), new KeepstateNode(fw2, config(1))];
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER');
    await nodes[1].start();
    await nodes[1].waitForRole('BACKUP');
    const injector = ConntrackInjector.open(fw1.namespacePath);
    injector.inject({ count: flows, timeoutSeconds: 3_600 });
    injector.close();
    await replicated();
    await purged(nodes[1]);
  });

  afterAll(async () => {
    await lab.close();
  });

  test.each(rounds)(
    'the old $first first, the other $pauseSeconds s later: the MASTER has all',
    async ({ first, pauseSeconds }) => {
      const [master, backup] = await byRole();
      const order = first === 'MASTER' ? [master, backup] : [backup, master];
      await Promise.all([master.process.kill(), backup.process.kill()]);
      const starting = order[0]!.start();
      await pause(seconds(pauseSeconds));
      await Promise.all([starting, order[1]!.start()]);
      await masterHasAll();
    },
  );

  test.each(Array.from({ length: isFull ? 20 : 1 }, (_, i) => i))(
    'the BACKUP is started again, and the MASTER ends before it has told it all (round %i)',
    async () => {
      const [master, backup] = await byRole();
      await backup.process.kill();
      const starting = backup.start();
      await backup.process.waitForOutput('keepstate runs', { timeout: 60_000 });
      await pause(seconds(0.15));
      await master.process.kill();
      await starting;
      await pause(seconds(0.7));
      await master.start();
      await masterHasAll();
    },
  );

  async function masterHasAll(): Promise<void> {
    const [, backup] = await byRole();
    await purged(backup);
    const [master] = await byRole();
    const index = nodes.indexOf(master);
    const held = await kernelCount(index as 0 | 1);
    if (held !== flows) {
      const logs = nodes.map(({ host, process }) => `${host.name}:\n${process.output}`).join('\n');
      throw new Error(`${held} of ${flows} flows in the kernel of ${master.host.name}\n${logs}`);
    }
    // For the next round: whoever is BACKUP has them to commit.
    await replicated();
  }

  async function kernelCount(index: 0 | 1): Promise<number> {
    const text = await pair.firewalls[index].conntrack('-L', '-d', '198.51.100.20');
    return text.split('tcp ').length - 1;
  }

  /** MASTER first; waits until there is one of each. */
  function byRole(): Promise<readonly [KeepstateNode, KeepstateNode]> {
    return waitFor(
      async () => {
        const roles = await Promise.all(nodes.map((node) => node.status()));
        if (roles.some(({ phase }) => phase !== 'steady')) return undefined;
        const [one, other] = roles.map(({ role }) => role);
        if (one === 'MASTER' && other === 'BACKUP') return nodes;
        return one === 'BACKUP' && other === 'MASTER' ? ([nodes[1], nodes[0]] as const) : undefined;
      },
      { timeout: 60_000, description: 'one MASTER and one BACKUP' },
    );
  }

  async function replicated(): Promise<void> {
    const [, backup] = await byRole();
    await backup.waitForStatus(
      ({ sync }) => sync?.external.entries === flows,
      'all flows at the BACKUP',
      { timeout: 60_000 },
    );
  }

  /** A purge has ended in this life of its daemon. */
  async function purged(node: KeepstateNode): Promise<void> {
    await waitFor(() => (node.process.output.match(purgeEnds) ?? []).length > 0, {
      timeout: 90_000,
      description: `the purge of ${node.host.name}`,
    });
  }

  function pause(duration: Microseconds): Promise<void> {
    return new Promise((resolve) => {
      timers.after(duration, () => {
        resolve();
      });
    });
  }
});
