/** Targets between the instances, the coordinator and the peer. */
import { milliseconds, seconds } from '../../../src/base/time.js';
import { refusal, type ControlResult } from '../../../src/control/protocol.js';
import { ReachExchange } from '../../../src/daemon/roles/reachExchange.js';
import type { SyncCommand, SyncStatus } from '../../../src/sync/messages.js';
import type { TargetWord } from '../../../src/sync/wire/targetWords.js';
import type { TargetObservation } from '../../../src/vrrp/tracking/observations.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';
import type { TrackTargetSettings } from '../../../src/vrrp/settings.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { RecordedLog } from '../../support/base/recordedLog.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import { FakeProbers } from '../../support/vrrp/fakeProbers.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

type StateName = RolePicture['units'][number]['state'];
type Peer = Partial<SyncStatus['peer']>;

const keepstate = (state: StateName = 'BACKUP', more: Peer = {}): Peer => ({
  kind: 'keepstate',
  comparesTargets: true,
  roles: { bound: 'A', units: [{ name: 'A', vrid: 51, state, since: seconds(0), priority: 9 }] },
  ...more,
});

const heard = { priority: 100, lastHeard: seconds(0) };
const instance: RolePicture['instances'][number] = {
  ...{ unit: 'A', vrid: 51, effectivePriority: 150, lastAdvertSent: undefined },
  ...{ masterHeard: undefined, master: undefined },
};

class Node {
  readonly time = new ManualTime();
  readonly exchange: ReachExchange;
  readonly posted: SyncCommand[] = [];
  readonly router: string[] = [];
  readonly asked: { because?: string; answer: (result: ControlResult) => void }[] = [];
  observations: ReadonlyMap<string, TargetObservation> = new Map();
  state: StateName = 'MASTER';
  peer: Peer | undefined = keepstate();
  wasKeepstate = true;
  hasPeerChannel = true;
  /** In FAULT: somebody advertises. */
  hearsAdverts = false;
  isLost = false;

  constructor(weight = 0) {
    const fate = (): ReturnType<typeof milliseconds> | 'lost' =>
      this.isLost ? 'lost' : milliseconds(1);
    this.exchange = new ReachExchange({
      clock: this.time,
      timers: this.time,
      random: new SeededRandom(1),
      logger: new RecordedLog(),
      probers: new FakeProbers(this.time, fate),
      network: { addresses: () => [] },
      router: () => ({
        holdPreemption: (unit) => this.router.push(`hold ${unit}`),
        releasePreemption: (unit) => this.router.push(`release ${unit}`),
        targetsAre: (targets) => {
          this.observations = targets;
        },
        roles: () => ({
          units: [{ name: 'A', state: this.state, since: seconds(0) }],
          instances: this.hearsAdverts
            ? [{ ...instance, masterInFault: { address: ip('10.0.0.2'), ...heard } }]
            : [],
        }),
      }),
      coordinator: () => ({
        ask: (request) =>
          new Promise((answer) => {
            this.asked.push({ ...request, answer });
          }),
      }),
      bound: () => 'A',
      // Only the peer is looked at.
      syncStatus: () => (this.peer === undefined ? undefined : ({ peer: this.peer } as SyncStatus)),
      post: (command) => this.posted.push(command),
      peerWasKeepstate: () => this.wasKeepstate,
      hasPeerChannel: () => this.hasPeerChannel,
    });
    const target: TrackTargetSettings = {
      ...{ name: 'WAN', addresses: [{ kind: 'icmp', address: ip('198.51.100.1') }], required: 1 },
      ...{ interval: milliseconds(200), timeout: milliseconds(200), rise: 3, fall: 3 },
      ...{ size: 56, weight, isReversed: false },
    };
    const targets = [{ name: 'WAN', weight, isReversed: false }];
    const tracking = { interfaces: [], scripts: [], files: [], processes: [], targets };
    const settings = { ...vrrpSettings([instanceSettings({ tracking })]), targets: [target] };
    this.exchange.apply(settings, new Map());
  }

  /** Ticks as the daemon does; the peer answers each question as `says`. */
  async run(ms: number, says?: NonNullable<TargetWord['answer']>['says']): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.exchange.tick();
      await this.time.advance(milliseconds(50));
      const question = this.words[0]?.question ?? 0;
      if (says === undefined) continue;
      this.exchange.peerSaid([
        {
          ...{ name: 'WAN', state: 'good', age: seconds(1), question: 0, addresses: [] },
          ...(question === 0 ? {} : { answer: { question, says } }),
        },
      ]);
    }
  }

  get words(): readonly TargetWord[] {
    const last = this.posted.at(-1);
    return last?.kind === 'tellTargets' ? last.words : [];
  }

  get seen(): TargetObservation | undefined {
    return this.observations.get('WAN');
  }
}

async function lost(node: Node): Promise<Node> {
  await node.run(1_000, 'answered');
  node.isLost = true;
  await node.run(1_000, 'answered');
  return node;
}

test('the peer is told each second, and of news at once', async () => {
  const node = new Node();
  await node.run(5_000, 'answered');
  const quiet = node.posted.length;
  expect(quiet).toBeLessThanOrEqual(8);
  node.isLost = true;
  await node.run(500, 'answered');
  expect(node.words[0]?.question).toBeGreaterThan(0);
});

test('a MASTER hands over, with the target as the cause, and is in FAULT afterwards', async () => {
  const node = await lost(new Node());
  expect(node.asked).toMatchObject([
    { kind: 'failover', force: false, because: 'target WAN is unreachable from this node only' },
  ]);
  expect(node.seen).toMatchObject({ verdict: 'bad', isYielding: true });
  node.state = 'BACKUP';
  node.asked[0]?.answer({ ok: true, result: {} });
  await node.run(100, 'answered');
  expect(node.seen).toMatchObject({ verdict: 'bad', isYielding: false });
  node.isLost = false;
  await node.run(31_000, 'answered');
  expect(node.seen?.verdict).toBe('good');
  expect(node.router).toEqual(['release A']);
});

test.each([
  ['is refused', (node: Node): void => node.asked[0]?.answer(refusal('busy', 'no'))],
  ['takes too long', (): void => undefined],
])('a hand-over that %s is followed by the fault', async (_name, end) => {
  const node = await lost(new Node());
  end(node);
  await node.run(6_000, 'answered');
  expect(node.seen).toMatchObject({ verdict: 'bad', isYielding: false });
});

test.each([
  ['a BACKUP', (node: Node): void => void (node.state = 'BACKUP')],
  ['a target with a weight', (): void => undefined, -20],
])('%s has nothing to hand over', async (_name, change, weight = 0) => {
  const node = new Node(weight);
  change(node);
  await lost(node);
  expect(node.asked).toEqual([]);
  expect(node.seen).toMatchObject({ verdict: 'bad', isYielding: false });
});

test.each([
  ['in FAULT', keepstate('FAULT')],
  ['not ready yet', keepstate('INIT')],
  ['in maintenance', keepstate('BACKUP', { inMaintenance: true })],
  ['a conntrackd now', { kind: 'conntrackd' } as const],
  ['unknown, because the worker is down', undefined],
])('a peer that is %s leaves the role here', async (_name, peer) => {
  const node = new Node();
  node.peer = peer;
  await lost(node);
  expect(node.asked).toEqual([]);
  expect(node.seen?.verdict).toBe('good');
});

test('a peer that never was a keepstate cannot be asked: the loss is a fault at once', async () => {
  const node = new Node();
  node.peer = { kind: 'conntrackd' };
  node.wasKeepstate = false;
  await lost(node);
  expect(node.asked).toEqual([]);
  expect(node.seen).toMatchObject({ verdict: 'bad', text: 'target WAN is unreachable' });
});

test('an older keepstate compares nothing, and gets the role', async () => {
  const node = new Node();
  node.peer = keepstate('BACKUP', { comparesTargets: false });
  await node.run(1_000);
  node.isLost = true;
  await node.run(1_000);
  expect(node.asked).toHaveLength(1);
});

test('a node in FAULT for a target whose peer is gone may have the role, but takes it from nobody', async () => {
  const node = await lost(new Node());
  node.state = 'BACKUP';
  node.asked[0]?.answer({ ok: true, result: {} });
  await node.run(100, 'answered');
  node.state = 'FAULT';
  node.peer = { kind: 'none' };
  await node.run(300);
  expect(node.seen?.verdict).toBe('good');
  expect(node.router).toEqual(['hold A']);
  node.isLost = false;
  await node.run(1_000);
  expect(node.router).toEqual(['hold A', 'release A']);
});

describe('in FAULT for a target, while another router advertises', () => {
  const inFault = async (): Promise<Node> => {
    const node = await lost(new Node());
    node.asked[0]?.answer({ ok: true, result: {} });
    node.state = 'FAULT';
    node.hearsAdverts = true;
    await node.run(100, 'answered');
    return node;
  };

  test.each([
    ['falls silent', undefined],
    ['is not heard on peer_port', { kind: 'none' } as const],
    ['has no role for a moment', keepstate('INIT')],
  ])('a peer that %s, and comes back, changes nothing', async (_name, peer) => {
    const node = await inFault();
    const before = node.peer;
    node.peer = peer;
    await node.run(6_000);
    expect(node.seen).toMatchObject({ verdict: 'bad' });
    node.peer = before;
    await node.run(2_000, 'answered');
    expect(node.seen).toMatchObject({ verdict: 'bad' });
    expect(node.router).toEqual([]);
    expect(node.asked).toHaveLength(1);
  });

  test('words that are late on a busy machine change nothing', async () => {
    const node = await inFault();
    await node.run(5_000);
    expect(node.seen).toMatchObject({ verdict: 'bad' });
    expect(node.router).toEqual([]);
  });

  test('the end of the advertisements releases the node where the peer is silent too', async () => {
    const node = await inFault();
    node.peer = { kind: 'none' };
    await node.run(300);
    node.hearsAdverts = false;
    await node.run(300);
    expect(node.seen?.verdict).toBe('good');
    expect(node.router).toEqual(['hold A']);
  });
});

describe('a peer that was a keepstate, and is none any more', () => {
  const silent = async (): Promise<Node> => {
    const node = new Node();
    node.peer = { kind: 'conntrackd' };
    return lost(node);
  };

  test('leaves the role where it is until an operator says so', async () => {
    const node = await silent();
    expect(node.exchange.targets[0]?.comparison).toMatchObject({ standing: 'peer-silent' });
    expect(node.seen?.verdict).toBe('good');
    node.wasKeepstate = false;
    await node.run(300);
    expect(node.seen).toMatchObject({ verdict: 'bad', text: 'target WAN is unreachable' });
  });

  test('is not waited for without a sync link', async () => {
    const node = await silent();
    node.hasPeerChannel = false;
    await node.run(300);
    expect(node.seen).toMatchObject({ verdict: 'bad', text: 'target WAN is unreachable' });
  });
});
