/**
 * Carries out what the pure machine decides for one unit. Adverts, timers and log lines at once;
 * whatever waits for the kernel or is told to others goes through one queue per unit, strictly in
 * order, so that a removal never overtakes an addition and a group's notification comes after its
 * members'.
 */
import { BugError, errorText } from '../base/errors.js';
import type { IpAddress } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import {
  addTime,
  seconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../base/time.js';
import type { StateName, UnitAction } from './machine/actions.js';
import type { Announcements } from './addresses/announce.js';
import { announcedAddresses, translatedFirst } from './addresses/announceOrder.js';
import type { UnitEvent } from './machine/events.js';
import { unitStep } from './machine/unit.js';
import type { Holdings } from './addresses/holdings.js';
import type { Notifier } from './notify/notifier.js';
import type { RecordedLine } from './machine/recording.js';
import type { RouterObserver } from './routerPorts.js';
import type { InstanceSettings } from './settings.js';
import {
  initialUnit,
  type InstanceState,
  type UnitSettings,
  type UnitState,
} from './machine/state.js';
import { masterSilence, publishNews, type News } from './unitNews.js';

/** Another MASTER that is seen again within this time is the same news. */
const rivalMemory = seconds(60);

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
/** An event whose time is the moment of its handling. */
export type UnitInput = WithoutTime<UnitEvent>;

/** How each kind of action is carried out. */
type ActionHandlers = {
  readonly [Kind in UnitAction['kind']]: (
    action: Extract<UnitAction, { kind: Kind }>,
    event: UnitEvent,
  ) => void;
};

/** What a unit shares with the others. */
export interface UnitPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly observer: RouterObserver;
  readonly holdings: Holdings;
  readonly announcements: Announcements;
  readonly notifier: () => Notifier;
  readonly sendAdvert: (
    instance: InstanceSettings,
    source: IpAddress | undefined,
    priority: number,
    identification: number,
  ) => void;
  readonly announceSource: (instance: InstanceSettings, source: IpAddress | undefined) => void;
  /** Delivers what waits in the instance's socket through `input`, before it returns. */
  readonly drain: (instance: string) => void;
  /** NAT rules name this address; see announceOrder.ts. */
  readonly isTranslated: (address: string) => boolean;
  /** VIPs of an instance came or went: firewall rules may have to follow. */
  readonly vipsChanged: (instance: InstanceSettings, arePresent: boolean) => Promise<void>;
  readonly record: ((line: RecordedLine) => void) | undefined;
}

export class UnitRunner {
  readonly #ports: UnitPorts;
  #settings: UnitSettings;
  #state: UnitState;
  /** As it was when the event came that is being handled. */
  #before: UnitState;
  readonly #inputs: UnitInput[] = [];
  #isStepping = false;
  readonly #timers = new Map<string, ArmedTimer>();
  /** Grows when an instance leaves MASTER: announcements queued before are then out of date. */
  readonly #generations = new Map<string, number>();
  /** When another MASTER was last seen, by instance. */
  readonly #rivals = new Map<string, Microseconds>();
  #work: Promise<void> = Promise.resolve();
  readonly #handlers: ActionHandlers = {
    // At once:
    sendAdvert: ({ instance, priority, identification }) => {
      const source = this.#sourceOf(instance);
      this.#ports.sendAdvert(this.#member(instance), source, priority, identification);
    },
    startTimer: (action, event) => this.#startTimer(action, event),
    stopTimer: ({ instance, timer }) => this.#stopTimer(`${instance} ${timer}`),
    drainSockets: ({ instance }) => {
      this.#ports.drain(instance);
      this.#inputs.push({ kind: 'drained', instance });
    },
    transition: (action, event) => this.#transition(action, event),
    complain: ({ instance, problem: { reason, text, count } }) =>
      this.#ports.logger.log('warning', text, { instance, reason, count }),
    cancelAnnouncements: ({ instance }) => this.#outdate(instance),
    announceSource: ({ instance }) =>
      this.#ports.announceSource(this.#member(instance), this.#sourceOf(instance)),
    // In the unit's queue:
    addVips: ({ instance }) => this.#addVips(instance),
    removeVips: ({ instance }) => this.#removeVips(instance),
    applyVips: ({ instance, announceCount }) => this.#applyVips(instance, announceCount),
    announce: ({ instance, count }) => this.#announce(instance, count),
    notify: (news) => this.#publish(news),
    notifyGroup: (news) => this.#publish(news),
    notifyLowerPriority: (news) => this.#publish(news),
    priorityChanged: (news) => this.#publish(news),
    roleChanged: (news, { at }) => this.#publish({ ...news, ...this.#silenceBefore(news, at) }),
    preemptionWanted: (news) => this.#publish(news),
    preemptionWithdrawn: (news) => this.#publish(news),
    masterSilent: (news) => this.#publish(news),
    otherMasterSeen: (news) => this.#publish(news),
  };

  constructor(ports: UnitPorts, settings: UnitSettings) {
    this.#ports = ports;
    this.#settings = settings;
    const at = ports.clock.now();
    this.#state = initialUnit(settings, at);
    this.#before = this.#state;
    ports.record?.({ unit: settings.name, at, settings });
  }

  get settings(): UnitSettings {
    return this.#settings;
  }

  get state(): UnitState {
    return this.#state;
  }

  /** Steps the machine, or queues the event when called from within a step. */
  input(event: UnitInput): void {
    this.#inputs.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        this.#step(next);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  /** The settings of a reload: roles and timers stay. */
  reload(settings: UnitSettings): void {
    this.#settings = settings;
    this.#ports.record?.({ unit: settings.name, newSettings: settings });
    this.input({ kind: 'reload' });
  }

  /** One block of gratuitous ARP for each VIP that is present. */
  announceAgain(): void {
    const { announcements, isTranslated } = this.#ports;
    for (const instance of this.#settings.members) {
      const { name, garp } = instance;
      if (this.#state.members[name]?.vips !== 'present') continue;
      const specs = announcedAddresses(instance, isTranslated);
      announcements.block(name, specs, garp.lowerPrioRepeat, garp);
    }
  }

  /**
   * One advert of each member that is BACKUP, below the priority of its MASTER, which answers it as
   * that of a weaker MASTER: after this unit gave way to a MASTER that never heard it.
   */
  testify(): void {
    for (const instance of this.#settings.members) {
      const member = this.#state.members[instance.name];
      if (member?.state !== 'BACKUP' || member.master === undefined) continue;
      const priority = Math.min(member.effectivePriority, member.master.priority - 1);
      if (priority < 1) continue;
      const { nextIdentification } = member;
      this.#ports.sendAdvert(instance, this.#sourceOf(instance.name), priority, nextIdentification);
    }
  }

  /** Resolves when everything decided so far was carried out. */
  idle(): Promise<void> {
    return this.#work;
  }

  /** No timer rings any more. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #step(input: UnitInput): void {
    const at = this.#ports.clock.now();
    // The parts of a union of events, each with its time added, are that union again.
    const event = { ...input, at } as UnitEvent;
    this.#ports.record?.({ unit: this.#settings.name, event });
    this.#before = this.#state;
    const { state, actions } = unitStep(this.#state, event, this.#settings);
    this.#state = state;
    for (const action of this.#ordered(actions)) this.#carryOut(action, event);
  }

  /** Announcements have an order where there are several. */
  #ordered(actions: readonly UnitAction[]): readonly UnitAction[] {
    const announcements = actions.filter(({ kind }) => kind === 'announce').length;
    if (announcements < 2) return actions;
    return translatedFirst(actions, this.#settings.members, this.#ports.isTranslated);
  }

  #carryOut(action: UnitAction, event: UnitEvent): void {
    // The table's type pairs each kind with its action; TypeScript cannot follow the pairing
    // through the index.
    const handle = this.#handlers[action.kind] as (action: UnitAction, event: UnitEvent) => void;
    handle(action, event);
  }

  #silenceBefore({ to }: { readonly to: StateName }, at: Microseconds): { silence?: Microseconds } {
    const silence = to === 'MASTER' ? masterSilence(this.#before, at) : undefined;
    return silence === undefined ? {} : { silence };
  }

  #publish(news: News): void {
    const { members, because } = this.#state;
    this.#queue(() => {
      publishNews(news, this.#settings.name, this.#ports, {
        notify: (name) => this.#find(name)?.notify,
        priority: (name) => this.#memberState(name).effectivePriority,
        because: (name) => (name === undefined ? because : (members[name]?.because ?? because)),
        isNewRival: (name) => this.#isNewRival(name),
      });
    });
  }

  #addVips(name: string): void {
    const instance = this.#member(name);
    const generation = this.#generation(name);
    this.#queue(async () => {
      if (generation !== this.#generation(name)) return;
      await this.#ports.vipsChanged(instance, true);
      await this.#ports.holdings.raise(name, instance);
      this.#ports.observer.vipsPresent(this.#settings.name, name);
    });
  }

  #removeVips(name: string): void {
    this.#outdate(name);
    const instance = this.#find(name);
    this.#queue(async () => {
      await this.#ports.holdings.lower(name);
      if (instance !== undefined) await this.#ports.vipsChanged(instance, false);
    });
  }

  #applyVips(name: string, announceCount: number): void {
    const instance = this.#member(name);
    const generation = this.#generation(name);
    this.#queue(async () => {
      if (generation !== this.#generation(name)) return;
      await this.#ports.vipsChanged(instance, true);
      const added = await this.#ports.holdings.change(name, instance);
      if (generation !== this.#generation(name)) return;
      this.#ports.announcements.block(name, added, announceCount, instance.garp);
    });
  }

  #announce(name: string, count: number): void {
    const generation = this.#generation(name);
    this.#queue(() => {
      const instance = this.#find(name);
      // Stepped down meanwhile: an announcement now would draw the traffic away from the new
      // master.
      if (instance === undefined || generation !== this.#generation(name)) return;
      const specs = announcedAddresses(instance, this.#ports.isTranslated);
      this.#ports.announcements.block(name, specs, count, instance.garp);
    });
  }

  #transition(action: Extract<UnitAction, { kind: 'transition' }>, event: UnitEvent): void {
    const { instance, from, to, because } = action;
    this.#ports.logger.log('notice', `Entering ${to} STATE`, {
      instance,
      from,
      to,
      reason: because,
    });
    const wallClock = this.#ports.clock.wallClock();
    const unit = this.#settings.name;
    this.#ports.observer.transition({ unit, instance, from, to, because, at: event.at, wallClock });
  }

  #startTimer(action: Extract<UnitAction, { kind: 'startTimer' }>, event: UnitEvent): void {
    const { instance, timer } = action;
    const key = `${instance} ${timer}`;
    this.#stopTimer(key);
    const due = addTime(event.at, action.duration);
    const delay = subtractTime(due, this.#ports.clock.now());
    const armed = this.#ports.timers.after(delay, () => {
      this.#timers.delete(key);
      this.input({ kind: 'timer', instance, timer, due });
    });
    this.#timers.set(key, armed);
  }

  #stopTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  #isNewRival(name: string): boolean {
    const now = this.#ports.clock.now();
    const last = this.#rivals.get(name);
    this.#rivals.set(name, now);
    return last === undefined || subtractTime(now, last) >= rivalMemory;
  }

  #outdate(name: string): void {
    this.#generations.set(name, this.#generation(name) + 1);
    this.#ports.announcements.cancel(name);
  }

  #generation(name: string): number {
    return this.#generations.get(name) ?? 0;
  }

  #queue(work: () => void | Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#ports.logger.log('error', 'an action failed', {
        unit: this.#settings.name,
        reason: errorText(error),
      });
    });
  }

  #find(name: string): InstanceSettings | undefined {
    return this.#settings.members.find((member) => member.name === name);
  }

  #member(name: string): InstanceSettings {
    const found = this.#find(name);
    if (found === undefined)
      throw new BugError('no such member', { unit: this.#settings.name, name });
    return found;
  }

  #sourceOf(name: string): IpAddress | undefined {
    const { sourceAddress, lostSource } = this.#memberState(name).conditions;
    return sourceAddress ?? lostSource;
  }

  #memberState(name: string): InstanceState {
    const found = this.#state.members[name];
    if (found === undefined)
      throw new BugError('no such member', { unit: this.#settings.name, name });
    return found;
  }
}
