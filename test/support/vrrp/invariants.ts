/**
 * What must hold in every life on the simulated LAN; a violation throws with a sentence. The
 * formulas are written down here a second time, in fractions, so that the machine is not compared
 * with itself.
 */
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { UnitEvent } from '../../../src/vrrp/machine/events.js';
import type { InstanceSettings } from '../../../src/vrrp/settings.js';
import type { InstanceState } from '../../../src/vrrp/machine/state.js';
import type { SimulatedRouter } from './router.js';

type Transition = Extract<UnitAction, { kind: 'transition' }>;
type StartTimer = Extract<UnitAction, { kind: 'startTimer' }>;

/** What a running master-down timer was started for, and when. */
interface Base {
  readonly kind: 'down' | 'skew';
  readonly at: number;
}

/** Rounding of the integer formulas. */
const tolerance = 2;
/**
 * One on time, two of priority 0, two on reload, and ten answers; each role entered brings two
 * more.
 */
const mostAdvertsPerInterval = 15;
const advertsPerRole = 2;

export class LifeInvariants {
  readonly #interval: number;
  transitions = 0;
  readonly #bases = new Map<string, Base>();
  /** Since when a BACKUP has heard no master that counts. */
  readonly #silences = new Map<string, Base>();
  /** When a master of lower priority was last heard alive. */
  readonly #weaker = new Map<string, number>();
  /** Members that want to be MASTER: their silence was long enough at that moment. */
  readonly #wishes = new Set<string>();
  readonly #sent = new Map<string, number[]>();
  /** When MASTER was entered. */
  readonly #entered = new Map<string, readonly number[]>();
  readonly #wasMaster = new Map<SimulatedRouter, boolean>();

  constructor(interval: number) {
    this.#interval = interval;
  }

  check(router: SimulatedRouter, event: UnitEvent, actions: readonly UnitAction[]): void {
    this.#checkAgreement(router);
    this.#noteWeaker(router, event);
    for (const { name, wantsMaster } of Object.values(router.state.members)) {
      this.#checkWish(router, name, wantsMaster, event);
    }
    const wasMaster = this.#wasMaster.get(router) === true;
    const isMaster = router.state.role === 'MASTER';
    this.#wasMaster.set(router, isMaster);
    if (wasMaster && isMaster) this.#checkPunctuality(router, event);
    if (!isMaster && router.vips.size > 0) fail(router, 'has VIPs without being MASTER');
    for (const action of actions) {
      if (action.kind === 'transition') {
        this.transitions += 1;
        if (action.to === 'MASTER') this.#checkTakeover(router, action, event);
      }
      if (action.kind === 'startTimer') this.#checkTimer(router, action, event, actions);
      if (action.kind !== 'sendAdvert') continue;
      const isGoodbye = event.kind === 'goodbye' && action.priority === 0;
      if (!wasMaster && !isMaster && !isGoodbye) {
        fail(router, 'advertises without being MASTER');
      }
      this.#checkStorm(router, action.instance, event.at);
    }
  }

  /**
   * Until the election is over after the LAN became quiet: the rule of the requirement, and
   * preempt_delay.
   */
  timeout(routers: readonly SimulatedRouter[]): number {
    const downs = routers.flatMap((router) =>
      router.settings.members.map((member) => this.#down(router, member.name)),
    );
    const delays = routers.flatMap((router) =>
      router.settings.members.map(({ preemptDelay }) =>
        // The delay begins with the first advert of a weaker master, which may have to be elected
        // first.
        preemptDelay === 0 ? 0 : preemptDelay + this.#interval + Math.max(...downs),
      ),
    );
    const transit = 5_000;
    return Math.max(0, ...downs) + this.#interval + Math.max(0, ...delays) + transit;
  }

  /**
   * The election must be over; `rivals` were MASTER when it began. `end` looks back at the quiet
   * time that followed.
   */
  beginQuiet(
    all: readonly SimulatedRouter[],
    eligible: readonly SimulatedRouter[],
    rivals: readonly SimulatedRouter[],
  ): { readonly end: (intervals: number) => void } {
    const masters = all.filter((router) => router.isAlive && router.state.role === 'MASTER');
    if (masters.length !== Math.min(1, eligible.length)) {
      const names = masters.map(({ name }) => name).join(' ');
      throw new Error(`${masters.length} MASTERs (${names}) among ${eligible.length} eligible`);
    }
    const [master] = masters;
    if (master !== undefined) checkWinner(master, all, eligible, rivals);
    const transitions = this.transitions;
    this.#sent.clear();
    return {
      end: (intervals) => {
        if (this.transitions !== transitions) throw new Error('a role changed in quiet times');
        for (const router of all) this.#checkQuietAdverts(router, router === master, intervals);
      },
    };
  }

  /**
   * A MASTER that was not stopped is never silent for longer than an interval, whatever it hears.
   */
  #checkPunctuality(router: SimulatedRouter, event: UnitEvent): void {
    if (event.kind === 'conditions' || event.kind === 'reload') return;
    for (const { name, lastAdvertSent } of Object.values(router.state.members)) {
      if (lastAdvertSent === undefined || router.resumedAt > lastAdvertSent) continue;
      const silence = event.at - lastAdvertSent;
      if (silence > this.#interval) fail(router, `did not advertise ${name} for ${silence} us`);
    }
  }

  #checkAgreement(router: SimulatedRouter): void {
    for (const { name, state } of Object.values(router.state.members)) {
      if (state !== router.state.role) {
        fail(router, `member ${name} is ${state}, its group ${router.state.role}`);
      }
    }
  }

  #checkTimer(
    router: SimulatedRouter,
    action: StartTimer,
    event: UnitEvent,
    actions: readonly UnitAction[],
  ): void {
    const settings = memberSettings(router, action.instance);
    if (action.timer === 'advert' && action.duration !== settings.advertInterval) {
      fail(router, `advert timer of ${action.duration} us`);
    }
    if (action.timer === 'masterDown') this.#checkMasterDown(router, action, event, actions);
  }

  #checkMasterDown(
    router: SimulatedRouter,
    action: StartTimer,
    event: UnitEvent,
    actions: readonly UnitAction[],
  ): void {
    const key = `${router.name} ${action.instance}`;
    const isMoved =
      (event.kind === 'conditions' || event.kind === 'reload') &&
      actions.some((a) => a.kind === 'priorityChanged' && a.instance === action.instance) &&
      !actions.some((a) => a.kind === 'transition' && a.instance === action.instance);
    const known = this.#bases.get(key);
    const isZero = event.kind === 'datagram' && event.datagram.payload[2] === 0;
    const base: Base =
      isMoved && known !== undefined ? known : { kind: isZero ? 'skew' : 'down', at: event.at };
    const length =
      base.kind === 'skew'
        ? this.#skew(router, action.instance)
        : this.#down(router, action.instance);
    const expected = Math.max(base.at + length, event.at);
    const due = event.at + action.duration;
    if (Math.abs(due - expected) > tolerance) {
      fail(router, `master-down timer due at ${due}, by its formula at ${expected}`);
    }
    this.#bases.set(key, base);
    // Waiting further, with the wish to be MASTER, is no new silence.
    const isWaiting = memberState(router, action.instance).wantsMaster || event.kind === 'drained';
    if (!isMoved && !isWaiting) this.#silences.set(key, base);
  }

  /** A wish arises when the member's master was silent for as long as the formula says. */
  #checkWish(router: SimulatedRouter, name: string, wantsMaster: boolean, event: UnitEvent): void {
    const key = `${router.name} ${name}`;
    if (!wantsMaster) this.#wishes.delete(key);
    if (!wantsMaster || this.#wishes.has(key)) return;
    this.#wishes.add(key);
    if (event.kind !== 'drained') return;
    const silence = this.#silences.get(key);
    if (silence === undefined) return fail(router, `wants ${name} without having waited`);
    const length = silence.kind === 'skew' ? this.#skew(router, name) : this.#down(router, name);
    if (event.at < silence.at + length - tolerance) {
      fail(router, `wants ${name} after ${event.at - silence.at} us, not ${length}`);
    }
  }

  /** Every member had its wish, and nothing waits unread. */
  #checkTakeover(router: SimulatedRouter, action: Transition, event: UnitEvent): void {
    // A hand-over waits for nobody: the old MASTER has just resigned.
    const key = `${router.name} ${action.instance}`;
    this.#entered.set(key, [...(this.#entered.get(key) ?? []), event.at]);
    if (action.from !== 'BACKUP' || event.kind === 'assumeRole') return;
    const { instance } = action;
    if (router.hasWaiting(instance)) fail(router, `takes over with adverts of ${instance} unread`);
    if (!this.#wishes.has(key)) fail(router, `takes over ${instance} without having waited`);
    const isGranted = router.grantedAt === event.at;
    const weaker = this.#weaker.get(key);
    if (!router.settings.commitBeforePreempt || isGranted || weaker === undefined) return;
    if (event.at - weaker < 3 * this.#interval)
      fail(router, `preempts ${instance} without a grant`);
  }

  /** In the simulation only MASTERs send what is well formed; junk has another TTL. */
  #noteWeaker(router: SimulatedRouter, event: UnitEvent): void {
    if (event.kind !== 'datagram' || event.datagram.ttl !== 255) return;
    const key = `${router.name} ${event.instance}`;
    const priority = event.datagram.payload[2] ?? 0;
    const { effectivePriority: ours, state, wantsMaster } = memberState(router, event.instance);
    if (state === 'BACKUP' && priority >= ours && wantsMaster) {
      fail(router, `still wants ${event.instance} after an advert of priority ${priority}`);
    }
    if (priority > 0 && priority < ours) this.#weaker.set(key, event.at);
    else this.#weaker.delete(key);
  }

  #checkStorm(router: SimulatedRouter, instance: string, at: number): void {
    const key = `${router.name} ${instance}`;
    const sent = this.#sent.get(key) ?? [];
    this.#sent.set(key, sent);
    sent.push(at);
    const recent = sent.filter((each) => at - each < this.#interval);
    const entered = (this.#entered.get(key) ?? []).filter((each) => at - each < this.#interval);
    if (recent.length > mostAdvertsPerInterval + advertsPerRole * entered.length) {
      fail(router, `${recent.length} adverts within one interval`);
    }
  }

  #checkQuietAdverts(router: SimulatedRouter, isMaster: boolean, intervals: number): void {
    for (const { name } of router.settings.members) {
      const count = this.#sent.get(`${router.name} ${name}`)?.length ?? 0;
      const isRight = isMaster ? Math.abs(count - intervals) <= 1 : count === 0;
      if (!isRight) fail(router, `${count} adverts of ${name} in ${intervals} quiet intervals`);
    }
  }

  #skew(router: SimulatedRouter, instance: string): number {
    const { effectivePriority } = memberState(router, instance);
    const unit = memberSettings(router, instance).version === 2 ? 1_000_000 : this.#interval;
    return ((256 - effectivePriority) / 256) * unit;
  }

  #down(router: SimulatedRouter, instance: string): number {
    return 3 * this.#interval + this.#skew(router, instance);
  }
}

/**
 * The highest priority wins, unless somebody's preemption is off; and the winner has all VIPs,
 * alone.
 */
function checkWinner(
  master: SimulatedRouter,
  all: readonly SimulatedRouter[],
  eligible: readonly SimulatedRouter[],
  rivals: readonly SimulatedRouter[],
): void {
  if (!eligible.includes(master)) fail(master, 'is MASTER and not eligible');
  const isPreempting = eligible.every((router) =>
    router.settings.members.every(({ preempt }) => preempt),
  );
  const highest = Math.max(...eligible.map(priorityOf));
  if (isPreempting && priorityOf(master) !== highest) {
    fail(master, `is MASTER with priority ${priorityOf(master)}, the highest is ${highest}`);
  }
  const beaten = rivals.find((rival) => isAbove(rival, master));
  if (beaten !== undefined) fail(master, `beat ${beaten.name}, which ranks higher`);
  for (const router of all) {
    const expected = router === master ? router.settings.members.length : 0;
    if (router.vips.size !== expected)
      fail(router, `has the VIPs of ${router.vips.size} instances`);
  }
}

/** Among two MASTERs: the higher priority, then the higher address (here: the later number). */
function isAbove(a: SimulatedRouter, b: SimulatedRouter): boolean {
  const difference = priorityOf(a) - priorityOf(b);
  return difference === 0 ? a.name > b.name : difference > 0;
}

function priorityOf(router: SimulatedRouter): number {
  return Math.max(...Object.values(router.state.members).map((each) => each.effectivePriority));
}

function memberSettings(router: SimulatedRouter, instance: string): InstanceSettings {
  const settings = router.settings.members.find(({ name }) => name === instance);
  return settings ?? fail(router, `has no member ${instance}`);
}

function memberState(router: SimulatedRouter, instance: string): InstanceState {
  return router.state.members[instance] ?? fail(router, `has no member ${instance}`);
}

function fail(router: SimulatedRouter, text: string): never {
  throw new Error(`${router.name} ${text}`);
}
