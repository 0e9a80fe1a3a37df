/**
 * Two nodes that ask the same target and tell each other: roles are as simple as can be, time and
 * chance are the test's.
 */
import { milliseconds, seconds } from '../../../src/base/time.js';
import { Reach, type PeerPresence } from '../../../src/vrrp/reach/reach.js';
import type { VrrpSettings } from '../../../src/vrrp/settings.js';
import { ManualTime } from '../base/manualTime.js';
import { RecordedLog } from '../base/recordedLog.js';
import { SeededRandom } from '../base/seededRandom.js';
import { FakeProbers, type ProbeFate } from './fakeProbers.js';

const wordDelay = milliseconds(3);

export interface Life {
  /** Percent of probes that are lost. */
  loss: number;
  errno: number | undefined;
}

export class ReachNode {
  readonly reach: Reach;
  readonly probers: FakeProbers;
  readonly life: Life = { loss: 0, errno: undefined };
  /** What was asked of the role, in order. */
  readonly asked: string[] = [];
  isMaster = false;
  hasSource = true;
  hearsMaster = false;
  /** The hand-over that waits for its end. */
  finish: (() => void) | undefined;
  canHandOver = true;
  presence: PeerPresence = { kind: 'silent' };
  /** False: nothing that it says arrives. */
  isHeard = true;

  constructor(time: ManualTime, random: SeededRandom, changed: () => void) {
    const fate = (): ProbeFate => {
      const { errno, loss } = this.life;
      if (errno !== undefined) return { errno };
      return random.chance(loss) ? 'lost' : milliseconds(random.between(1, 9));
    };
    this.probers = new FakeProbers(time, fate);
    this.reach = new Reach({
      clock: time,
      timers: time,
      random,
      logger: new RecordedLog(),
      probers: this.probers,
      hasAddress: () => this.hasSource,
      isMaster: () => this.isMaster,
      hearsMaster: () => this.hearsMaster,
      changed,
      handOver: (_target, because, done) => {
        this.asked.push(`hand over: ${because}`);
        if (!this.isMaster || !this.canHandOver) return false;
        this.finish = done;
        return true;
      },
      released: (target) => this.asked.push(`released: ${target}`),
      recovered: (target) => this.asked.push(`recovered: ${target}`),
    });
  }

  get verdict(): string | undefined {
    return this.reach.observations.get('WAN')?.verdict;
  }

  get standing(): string | undefined {
    return this.reach.targets[0]?.comparison.standing;
  }
}

export class ReachPair {
  readonly time = new ManualTime();
  readonly random: SeededRandom;
  readonly a: ReachNode;
  readonly b: ReachNode;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
    this.a = new ReachNode(this.time, this.random, () => this.#tell(this.a, this.b));
    this.b = new ReachNode(this.time, this.random, () => this.#tell(this.b, this.a));
    const present: PeerPresence = { kind: 'present', canServe: true, comparesTargets: true };
    this.a.presence = present;
    this.b.presence = present;
    this.a.isMaster = true;
  }

  start(settings: VrrpSettings): void {
    for (const node of [this.a, this.b]) node.reach.apply(settings);
  }

  /** Words each second, and a look at the peer four times a second, as the daemon does. */
  async run(duration: ReturnType<typeof seconds>): Promise<void> {
    const step = milliseconds(250);
    for (let passed = 0; passed < duration; passed += step) {
      await this.time.advance(step);
      for (const node of [this.a, this.b]) node.reach.tick(node.presence);
      if (passed % seconds(1) !== 0) continue;
      this.#tell(this.a, this.b);
      this.#tell(this.b, this.a);
    }
  }

  #tell(from: ReachNode, to: ReachNode): void {
    const words = from.reach.words();
    if (!from.isHeard) return;
    this.time.after(wordDelay, () => to.reach.peerSaid(words));
  }
}
