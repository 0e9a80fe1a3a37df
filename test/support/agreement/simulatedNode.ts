/**
 * One node of the simulated cluster: the machine under test, the beat thread, VRRP, the prober and
 * the coordinator's hand-over around it; and what can happen to it: power, kernel, process, loop.
 */
import {
  milliseconds,
  microseconds,
  subtractTime,
  type Microseconds,
} from '../../../src/base/time.js';
import type { AgreementAction, AgreementStep } from '../../../src/agreement/agreementActions.js';
import type { AgreementEvent } from '../../../src/agreement/agreementEvents.js';
import {
  initialAgreement,
  type AgreementState,
  type AgreementTimer,
  type SegmentAnswers,
} from '../../../src/agreement/agreementState.js';
import type { AgreementSettings } from '../../../src/agreement/settings.js';
import type { UnitStatement } from '../../../src/agreement/statement.js';
import { BeatModel, beatInterval, type BareEvent, type ModelBeat } from './beatModel.js';
import { VrrpModel, type ModelAdvert } from './vrrpModel.js';
import { LeaseClient } from './arbiterModel.js';
import type { Cluster } from './cluster.js';

export type Step = (
  state: AgreementState,
  event: AgreementEvent,
  settings: AgreementSettings,
) => AgreementStep;

export interface NodeOptions {
  readonly settings: AgreementSettings;
  readonly priority: number;
  readonly step: Step;
}

/** Three rounds of a probe. */
const rounds = 3;

export class SimulatedNode {
  readonly name: string;
  readonly settings: AgreementSettings;
  readonly vrrp: VrrpModel;
  state: AgreementState = initialAgreement;
  /** `stopped`: by a signal; `dead`: not there. */
  process: 'runs' | 'stopped' | 'dead' = 'dead';
  kernel: 'runs' | 'frozen' | 'off' = 'runs';
  isLoopBlocked = false;
  /** A keepalived: VRRP alone. */
  isStranger = false;
  /** What an arbiter says to it. */
  arbiter: 'granted' | 'refused' | 'none' = 'granted';
  isSynchronised = true;
  key = '';
  readonly faulty = new Set<string>();
  readonly #cluster: Cluster;
  readonly #step: Step;
  readonly #timers = new Map<AgreementTimer, () => void>();
  #beats: BeatModel;
  #statement: UnitStatement | undefined;
  #held = false;
  #session = 0;
  #sequence = 0;
  #lastTick = microseconds(0);
  #lastTurn = microseconds(0);
  #waiting: BareEvent[] = [];
  /** What waits in the sockets of a process that does not read. */
  #unread: (() => void)[] = [];
  #guardAfter: Microseconds | undefined;
  #ticks = 0;

  constructor(name: string, cluster: Cluster, { settings, priority, step }: NodeOptions) {
    this.name = name;
    this.settings = settings;
    this.#cluster = cluster;
    this.#step = step;
    this.#beats = this.#newBeats();
    const hands = {
      advertise: (said: number) => this.#advertise(said),
      changed: (role: UnitStatement['role'], because: string) => {
        cluster.record(this.name, role, because);
        if (this.process === 'runs') this.feed({ kind: 'role', role });
      },
      wish: (wish: 'masterDown' | 'priorityZero' | 'preemption' | 'resume') => {
        if (this.isStranger) this.vrrp.become('MASTER', wish);
        else this.feed({ kind: 'takeWanted', wish });
      },
    };
    if (cluster.arbiter !== undefined) {
      this.#lease = new LeaseClient(name, cluster.arbiter, cluster.time, {
        canTurn: () => this.canTurn,
        isMaster: () => this.vrrp.role === 'MASTER',
        tell: (state) => this.feed({ kind: 'lease', state }),
      });
    }
    const { preempts } = settings;
    this.vrrp = new VrrpModel(cluster.time, cluster.wires.segments, { priority, preempts }, hands);
  }

  get runs(): boolean {
    return this.process === 'runs' && this.kernel === 'runs';
  }

  get canTurn(): boolean {
    return this.runs && !this.isLoopBlocked;
  }

  /** It answers ARP for its addresses, and its clients get through. */
  get serves(): boolean {
    return this.vrrp.hasAddresses && this.kernel === 'runs';
  }

  /** A new process; `resumes`: its state file says that it was MASTER a moment ago. */
  start(resumes = false): void {
    this.process = 'runs';
    this.#session += 1;
    this.#sequence = 0;
    this.state = initialAgreement;
    this.#held = false;
    this.#unread = [];
    this.#waiting = [];
    this.#beats = this.#newBeats();
    this.#ticks += 1;
    this.#lastTick = this.#lastTurn = this.#cluster.time.now;
    if (!resumes) this.vrrp.hasAddresses = false;
    this.vrrp.role = 'INIT';
    this.#statement = undefined;
    this.tellFacts();
    if (!this.isStranger) this.#tick(this.#ticks);
    if (resumes && !this.isStranger) this.feed({ kind: 'takeWanted', wish: 'resume' });
    else this.vrrp.become(this.faulty.size > 0 ? 'FAULT' : 'BACKUP', 'start');
  }

  kill(): void {
    this.process = 'dead';
    this.#ticks += 1;
    this.vrrp.halt();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Told to all that the silence which follows says nothing. */
  endInOrder(): void {
    this.#beat(true);
    this.kill();
  }

  /** Another key: said with the old one, then nobody is known. */
  rekey(key: string): void {
    this.#beat(true);
    this.key = key;
    this.#session += 1;
    this.#beats = this.#newBeats();
    const states = Object.fromEntries(
      this.settings.paths.map(({ name }) => [name, 'unknown' as const]),
    );
    for (const { name } of this.#cluster.peersOf(this)) {
      this.feed({ kind: 'paths', peer: name, states });
    }
  }

  tellFacts(): void {
    const { priority } = this.vrrp;
    const faulty = [...this.faulty];
    this.feed({
      ...{ kind: 'facts', priority, faulty },
      ...{ isSynchronised: this.isSynchronised, isWorkerDown: false },
    });
  }

  /** A member fails or works again. */
  setFault(member: string, isFaulty: boolean): void {
    const before = this.faulty.size;
    if (isFaulty) this.faulty.add(member);
    else this.faulty.delete(member);
    if (!this.runs || before === this.faulty.size) return;
    if (isFaulty && this.vrrp.role === 'MASTER') {
      if (this.isStranger) this.vrrp.become('FAULT', member);
      else this.feed({ kind: 'faultImminent', faulty: [...this.faulty] });
      return;
    }
    this.tellFacts();
    if (isFaulty && this.vrrp.role === 'BACKUP') this.vrrp.become('FAULT', `${member} failed`);
    if (this.faulty.size === 0 && this.vrrp.role === 'FAULT') {
      this.vrrp.become('BACKUP', 'no member is faulty');
    }
  }

  feed(event: BareEvent): void {
    if (this.isStranger || this.process === 'dead') return;
    if (!this.canTurn) {
      this.#waiting.push(event);
      return;
    }
    const { now } = this.#cluster.time;
    // The bare events are those of the machine without their time.
    const full = { ...event, at: now } as AgreementEvent;
    const { state, actions } = this.#step(this.state, full, this.settings);
    this.state = state;
    this.#cluster.observe(this, full, actions);
    for (const action of actions) this.#carryOut(action);
  }

  /** The loop turns again: what waited is handled, the machine hears how long it stood. */
  turnAgain(): void {
    if (!this.canTurn) return;
    const { now } = this.#cluster.time;
    const lasted = subtractTime(now, this.#lastTurn);
    this.#lastTurn = now;
    if (lasted >= milliseconds(100)) {
      // The thread knows before anybody else: no beat as MASTER goes out first.
      const { role } = this.vrrp;
      const first: BareEvent = { kind: 'ownLoopStoodStill', lasted };
      if (role === 'MASTER') this.#held = true;
      this.feed(first);
      if (this.state.listening === undefined) this.#held = false;
    }
    this.#lease?.renew();
    const unread = this.#unread.splice(0);
    for (const read of unread) read();
    const waiting = this.#waiting.splice(0);
    for (const event of waiting) this.feed(event);
  }

  /** A datagram on its way to this node. */
  receive(read: () => void): void {
    if (this.process === 'dead' || this.kernel !== 'runs') return;
    if (this.process === 'stopped') this.#unread.push(read);
    else read();
  }

  hearBeat(path: string, beat: ModelBeat): void {
    this.receive(() => {
      if (this.isStranger || this.#cluster.wires.floods.has(`${this.name} ${path}`)) return;
      this.#beats.hear(path, beat, this.#cluster.time.now);
      if (this.#guardTrips() && beat.says.role === 'MASTER') {
        this.kill();
        // `release`, by whoever looks after the service.
        this.vrrp.hasAddresses = false;
      }
    });
  }

  hearAdvert(segment: string, advert: ModelAdvert, isStranger: boolean): void {
    this.receive(() => {
      if (this.isLoopBlocked) {
        this.#unread.push(() => this.hearAdvert(segment, advert, isStranger));
        return;
      }
      if (isStranger && advert.priority > 0) {
        const { address, priority } = advert;
        this.feed({ kind: 'strangerHeard', segment, address, priority });
      }
      this.vrrp.hear(segment, advert, this.settings.node);
    });
  }

  flood(path: string, isFlooded: boolean): void {
    this.#beats.flood(path, isFlooded);
  }

  #newBeats(): BeatModel {
    const { wires } = this.#cluster;
    return new BeatModel(
      (event) => this.feed(event),
      (path) => wires.port(this.name, path).hasCarrier,
    );
  }

  #tick(ticks: number): void {
    const { time } = this.#cluster;
    if (ticks !== this.#ticks) return;
    time.after(beatInterval, () => this.#tick(ticks));
    if (!this.runs) return;
    const late = subtractTime(time.now, this.#lastTick) - beatInterval;
    if (late > beatInterval) this.#beats.pause(microseconds(late));
    this.#lastTick = time.now;
    if (this.canTurn) this.turnAgain();
    this.#beats.judge(time.now);
    this.#beat(false);
  }

  #guardTrips(): boolean {
    const age = subtractTime(this.#cluster.time.now, this.#lastTurn);
    return this.#guardAfter !== undefined && age >= this.#guardAfter;
  }

  #beat(hasEnded: boolean): void {
    if (this.#statement === undefined || !this.runs) return;
    this.#sequence += 1;
    const isMute = (this.#held || this.#guardTrips()) && this.#statement.role === 'MASTER';
    const says: UnitStatement = isMute ? { ...this.#statement, role: 'INIT' } : this.#statement;
    const loopAge = subtractTime(this.#cluster.time.now, this.#lastTurn);
    this.#cluster.sendBeat({
      ...{ from: this.name, session: `${this.name}${this.#session}`, sequence: this.#sequence },
      ...{ loopAge, hasEnded, says },
    });
  }

  #advertise(priority: number): void {
    if (!this.canTurn) return;
    const advert = { from: this.name, address: this.settings.node, priority };
    this.#cluster.sendAdvert(advert, this.isStranger);
  }

  #carryOut(action: AgreementAction): void {
    const { time } = this.#cluster;
    switch (action.kind) {
      case 'announce':
        this.#statement = action.statement;
        return;
      case 'watchSilence':
        this.#beats.watch(action.peer, action.limit);
        return;
      case 'probe':
        this.#probe(action);
        return;
      case 'startTimer':
        this.#timers.get(action.timer)?.();
        this.#timers.set(
          action.timer,
          time.after(action.duration, () => this.feed({ kind: 'timer', timer: action.timer })),
        );
        return;
      case 'stopTimer':
        this.#timers.get(action.timer)?.();
        return;
      case 'allowTake':
        this.vrrp.become('MASTER', "VRRP's rules");
        return;
      case 'refuseTake':
        if (this.vrrp.role === 'INIT') this.vrrp.become('BACKUP', action.because);
        else this.vrrp.refused();
        return;
      case 'take':
        this.#take(action.because, action.awaitsCommit);
        return;
      case 'withdrawTake':
        this.#taking?.();
        return;
      case 'giveWay':
        this.vrrp.become(action.to, action.because);
        this.tellFacts();
        return;
      case 'handOver':
        this.#handOver(action.because);
        return;
      case 'holdSending':
        this.#held = this.vrrp.isHeld = true;
        return;
      case 'resumeSending':
        this.#held = this.vrrp.isHeld = false;
        return;
      case 'readPaths':
        time.after(microseconds(100), () => this.feed({ kind: 'pathsRead' }));
        return;
      case 'guardLoop':
        this.#guardAfter = action.after;
        return;
      case 'releaseLease':
        this.#lease?.release();
        return;
      case 'askArbiter':
        if (this.#lease !== undefined) {
          this.#lease.ask((answer) =>
            this.feed({ kind: 'arbiterAnswer', question: action.question, answer }),
          );
          return;
        }
        time.after(milliseconds(this.arbiter === 'none' ? 100 : 1), () =>
          this.feed({ kind: 'arbiterAnswer', question: action.question, answer: this.arbiter }),
        );
        return;
      case 'stayMaster':
      case 'announceAddresses':
      case 'holdPreemption':
      case 'releasePreemption':
      case 'raiseProblem':
      case 'endProblem':
      case 'history':
        return;
    }
  }

  #taking: (() => void) | undefined;
  readonly #lease: LeaseClient | undefined;

  /** Committed in advance, then the role with its addresses. */
  #take(because: string, awaitsCommit: boolean): void {
    const { time } = this.#cluster;
    const commit = milliseconds(awaitsCommit ? 20 : 0);
    this.#taking = time.after(commit, () => {
      if (this.canTurn && this.vrrp.role !== 'MASTER') {
        this.vrrp.become('MASTER', because, microseconds(0));
      }
    });
  }

  /** The peer channel runs over a link; without one there is no hand-over. */
  #handOver(because: string): void {
    const { time, wires } = this.#cluster;
    const peer = this.#cluster
      .peersOf(this)
      .find((other) =>
        wires.paths
          .filter((path) => !wires.segments.includes(path))
          .some(
            (link) =>
              wires.carries(this.name, other.name, link) &&
              wires.carries(other.name, this.name, link),
          ),
      );
    if (peer === undefined || peer.faulty.size > 0) return;
    time.after(milliseconds(50), () => {
      if (!this.canTurn || !peer.canTurn || this.vrrp.role !== 'MASTER') return;
      this.vrrp.become('BACKUP', because);
      if (peer.vrrp.role === 'BACKUP') peer.vrrp.become('MASTER', because, microseconds(0));
    });
  }

  #probe({ probe, peer, segments, neighbours, within, also }: ProbeAction): void {
    const { time, wires } = this.#cluster;
    const asked = [
      ...new Set([...also, ...segments.flatMap((name) => wires.hosts[name] ?? [])]),
    ].slice(0, neighbours * segments.length);
    const found = new Map<string, { peer: boolean; answered: Set<string> }>(
      segments.map((name) => [name, { peer: false, answered: new Set<string>() }]),
    );
    const round = (): void => {
      if (!this.runs) return;
      for (const [segment, answers] of found) {
        if (this.#cluster.answers(this, peer, segment)) answers.peer = true;
        if (!wires.reachesHosts(this.name, segment)) continue;
        const hosts = wires.hosts[segment] ?? [];
        for (const host of asked) if (hosts.includes(host)) answers.answered.add(host);
      }
    };
    for (let i = 0; i < rounds; i++) time.after(microseconds((i * within) / rounds), round);
    time.after(within, () => {
      const answers = [...found].map(([segment, got]): [string, SegmentAnswers] => {
        const { hasCarrier } = wires.port(this.name, segment);
        const answered = Math.min(neighbours, got.answered.size);
        return [segment, { peer: got.peer, answered, hasCarrier, hasTargets: true }];
      });
      this.feed({ kind: 'probed', probe, answers: Object.fromEntries(answers), asked });
    });
  }
}

type ProbeAction = Extract<AgreementAction, { kind: 'probe' }>;
