/**
 * Carries out what the pure machine decides for one unit. Adverts, timers and log lines at once; whatever
 * waits for the kernel or is told to others goes through one queue per unit, strictly in order, so that a
 * removal never overtakes an addition and a group's notification comes after its members'.
 */
import { BugError, errorText } from '../base/errors.js';
import type { IpAddress } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import { addTime, subtractTime, type ArmedTimer, type Clock, type Timers } from '../base/time.js';
import type { UnitAction } from './machine/actions.js';
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
import { tellNews, type QueuedAction } from './unitNews.js';

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
/** An event whose time is the moment of its handling. */
export type UnitInput = WithoutTime<UnitEvent>;

/** What a unit shares with the others. */
export interface UnitWorld {
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
  readonly #world: UnitWorld;
  #settings: UnitSettings;
  #state: UnitState;
  readonly #inputs: UnitInput[] = [];
  #isStepping = false;
  readonly #timers = new Map<string, ArmedTimer>();
  /** Grows when an instance leaves MASTER: announcements queued before are then out of date. */
  readonly #generations = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();

  constructor(world: UnitWorld, settings: UnitSettings) {
    this.#world = world;
    this.#settings = settings;
    const at = world.clock.now();
    this.#state = initialUnit(settings, at);
    world.record?.({ unit: settings.name, at, settings });
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
    this.#world.record?.({ unit: settings.name, newSettings: settings });
    this.input({ kind: 'reload' });
  }

  /** One block of gratuitous ARP for each VIP that is present. */
  announceAgain(): void {
    const { announcements, isTranslated } = this.#world;
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
      this.#world.sendAdvert(instance, this.#sourceOf(instance.name), priority, nextIdentification);
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
    const at = this.#world.clock.now();
    // The parts of a union of events, each with its time added, are that union again.
    const event = { ...input, at } as UnitEvent;
    this.#world.record?.({ unit: this.#settings.name, event });
    const { state, actions } = unitStep(this.#state, event, this.#settings);
    this.#state = state;
    const { members } = this.#settings;
    const ordered = translatedFirst(actions, members, this.#world.isTranslated);
    for (const action of ordered) this.#carryOut(action, event);
  }

  #carryOut(action: UnitAction, event: UnitEvent): void {
    const { world } = { world: this.#world };
    switch (action.kind) {
      case 'sendAdvert': {
        const { instance, priority, identification } = action;
        world.sendAdvert(
          this.#member(instance),
          this.#sourceOf(instance),
          priority,
          identification,
        );
        return;
      }
      case 'startTimer':
        this.#startTimer(action, event);
        return;
      case 'stopTimer':
        this.#stopTimer(`${action.instance} ${action.timer}`);
        return;
      case 'drainSockets':
        world.drain(action.instance);
        this.#inputs.push({ kind: 'drained', instance: action.instance });
        return;
      case 'transition':
        this.#transition(action, event);
        return;
      case 'complain':
        world.logger.log('warning', action.problem.text, {
          instance: action.instance,
          reason: action.problem.reason,
          count: action.problem.count,
        });
        return;
      case 'cancelAnnouncements':
        this.#outdate(action.instance);
        return;
      case 'announceSource':
        world.announceSource(this.#member(action.instance), this.#sourceOf(action.instance));
        return;
      default:
        this.#carryOutInOrder(action);
    }
  }

  /** The part that waits its turn in the unit's queue. */
  #carryOutInOrder(action: QueuedAction): void {
    switch (action.kind) {
      case 'addVips': {
        this.#addVips(action.instance);
        return;
      }
      case 'removeVips': {
        this.#removeVips(action.instance);
        return;
      }
      case 'applyVips': {
        this.#applyVips(action.instance, action.announceCount);
        return;
      }
      case 'announce': {
        this.#announce(action.instance, action.count);
        return;
      }
      default:
        this.#queue(() => {
          tellNews(action, this.#settings.name, this.#world, {
            notify: (name) => this.#find(name)?.notify,
            priority: (name) => this.#memberState(name).effectivePriority,
          });
        });
    }
  }

  #addVips(name: string): void {
    const instance = this.#member(name);
    const generation = this.#generation(name);
    this.#queue(async () => {
      if (generation !== this.#generation(name)) return;
      await this.#world.vipsChanged(instance, true);
      await this.#world.holdings.raise(name, instance);
      this.#world.observer.vipsPresent(this.#settings.name, name);
    });
  }

  #removeVips(name: string): void {
    this.#outdate(name);
    const instance = this.#find(name);
    this.#queue(async () => {
      await this.#world.holdings.lower(name);
      if (instance !== undefined) await this.#world.vipsChanged(instance, false);
    });
  }

  #applyVips(name: string, announceCount: number): void {
    const instance = this.#member(name);
    const generation = this.#generation(name);
    this.#queue(async () => {
      if (generation !== this.#generation(name)) return;
      await this.#world.vipsChanged(instance, true);
      const added = await this.#world.holdings.change(name, instance);
      if (generation !== this.#generation(name)) return;
      this.#world.announcements.block(name, added, announceCount, instance.garp);
    });
  }

  #announce(name: string, count: number): void {
    const generation = this.#generation(name);
    this.#queue(() => {
      const instance = this.#find(name);
      // Stepped down meanwhile: an announcement now would draw the traffic away from the new master.
      if (instance === undefined || generation !== this.#generation(name)) return;
      const specs = announcedAddresses(instance, this.#world.isTranslated);
      this.#world.announcements.block(name, specs, count, instance.garp);
    });
  }

  #transition(action: Extract<UnitAction, { kind: 'transition' }>, event: UnitEvent): void {
    const { instance, from, to, because } = action;
    this.#world.logger.log('notice', `Entering ${to} STATE`, { instance, from, to, because });
    const wallClock = this.#world.clock.wallClock();
    const unit = this.#settings.name;
    this.#world.observer.transition({ unit, instance, from, to, because, at: event.at, wallClock });
  }

  #startTimer(action: Extract<UnitAction, { kind: 'startTimer' }>, event: UnitEvent): void {
    const { instance, timer } = action;
    const key = `${instance} ${timer}`;
    this.#stopTimer(key);
    const due = addTime(event.at, action.duration);
    const delay = subtractTime(due, this.#world.clock.now());
    const armed = this.#world.timers.after(delay, () => {
      this.#timers.delete(key);
      this.input({ kind: 'timer', instance, timer, due });
    });
    this.#timers.set(key, armed);
  }

  #stopTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  #outdate(name: string): void {
    this.#generations.set(name, this.#generation(name) + 1);
    this.#world.announcements.cancel(name);
  }

  #generation(name: string): number {
    return this.#generations.get(name) ?? 0;
  }

  #queue(work: () => void | Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#world.logger.log('error', 'an action failed', {
        unit: this.#settings.name,
        because: errorText(error),
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
    return this.#memberState(name).conditions.sourceAddress;
  }

  #memberState(name: string): InstanceState {
    const found = this.#state.members[name];
    if (found === undefined)
      throw new BugError('no such member', { unit: this.#settings.name, name });
    return found;
  }
}
