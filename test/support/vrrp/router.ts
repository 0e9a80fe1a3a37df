/**
 * An executor of the VRRP machine in virtual time. It can be paused (the process is stopped: timers
 * and datagrams wait, and on resume the overdue timers ring before any socket is read), crashed and
 * started anew. Plays the role coordinator too: answers after a delay.
 */
import type { IpAddress } from '../../../src/base/ipAddress.js';
import { addTime, microseconds } from '../../../src/base/time.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { Contribution, TimerName, UnitEvent } from '../../../src/vrrp/machine/events.js';
import { unitStep } from '../../../src/vrrp/machine/unit.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import { initialUnit, type UnitSettings, type UnitState } from '../../../src/vrrp/machine/state.js';
import type { SeededRandom } from '../base/seededRandom.js';
import type { VirtualTime } from '../base/virtualTime.js';

export interface SimulationPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** Puts a datagram on the wire of the instance's LAN. */
  readonly transmit: (from: SimulatedRouter, instance: string, datagram: VrrpDatagram) => void;
  /** Sees every step: the tests' invariants. */
  readonly observe: (
    router: SimulatedRouter,
    event: UnitEvent,
    actions: readonly UnitAction[],
  ) => void;
  /** A life begins, or (with `isReload`) new settings are about to count. */
  readonly onSettings: (router: SimulatedRouter, isReload: boolean) => void;
  /** Longest time that the coordinator takes to answer. */
  readonly answerTime: number;
}

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
type Input = WithoutTime<UnitEvent>;

interface Waiting {
  readonly instance: string;
  readonly datagram: VrrpDatagram;
}

const timerOrder = [
  'masterDown',
  'advert',
  'preemptDelay',
  'garpDelay',
  'garpLowerPriority',
] as const;

export class SimulatedRouter {
  readonly name: string;
  settings: UnitSettings;
  readonly addresses: Readonly<Record<string, IpAddress>>;
  readonly #ports: SimulationPorts;
  state: UnitState;
  isAlive = false;
  isPaused = false;
  /** Instances whose VIPs this node has now. */
  readonly vips = new Set<string>();
  readonly #faults = new Map<string, string>();
  #contributions: readonly Contribution[] = [];
  readonly #timers = new Map<string, { readonly due: number; readonly token: object }>();
  #socket: Waiting[] = [];
  readonly #inputs: Input[] = [];
  #isStepping = false;
  #isRetired = false;
  #crashedAsMaster = false;
  /** Grows with each life: appointments of an earlier one are void. */
  #life = 0;

  constructor(
    ports: SimulationPorts,
    name: string,
    settings: UnitSettings,
    addresses: Readonly<Record<string, IpAddress>>,
  ) {
    this.#ports = ports;
    this.name = name;
    this.settings = settings;
    this.addresses = addresses;
    this.state = initialUnit(settings, ports.time.now());
  }

  /** When the process last went on after a pause. */
  resumedAt = -1;
  /** When the coordinator last granted a preemption. */
  grantedAt = -1;

  hasWaiting(instance: string): boolean {
    return (
      this.#socket.some((each) => each.instance === instance) ||
      this.#inputs.some((each) => each.kind === 'datagram' && each.instance === instance)
    );
  }

  get faultyInstances(): readonly string[] {
    return [...this.#faults.keys()];
  }

  /** Never starts again. */
  retire(): void {
    this.#isRetired = true;
  }

  start(): void {
    if (this.isAlive || this.#isRetired) return;
    this.#life += 1;
    this.isAlive = true;
    this.isPaused = false;
    this.#socket = [];
    this.vips.clear();
    this.state = initialUnit(this.settings, this.#ports.time.now());
    this.#ports.onSettings(this, false);
    for (const { name } of this.settings.members) this.#tellConditions(name);
    this.input({ kind: 'start', resumeMaster: false });
    // However long ago: the daemon says it only while a peer may still wait, here it must be
    // harmless at any time.
    if (this.#crashedAsMaster) this.input({ kind: 'goodbye' });
    this.#crashedAsMaster = false;
  }

  /** As by SIGKILL: nothing is said, addresses are gone (a supervisor releases them). */
  crash(): void {
    this.#crashedAsMaster = this.isAlive && this.state.role === 'MASTER';
    this.isAlive = false;
    this.#life += 1;
    this.#timers.clear();
    this.vips.clear();
  }

  stop(): void {
    if (!this.isAlive) return;
    this.resume();
    this.input({ kind: 'stop', because: 'STOP' });
    this.crash();
  }

  pause(): void {
    this.isPaused = this.isAlive;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    const now = this.#ports.time.now();
    this.resumedAt = now;
    const overdue = [...this.#timers].filter(([, { due }]) => due <= now);
    overdue.sort(([, a], [, b]) => a.due - b.due);
    for (const [key, timer] of overdue) {
      if (this.#timers.get(key)?.token === timer.token) this.#ring(key, timer.due);
    }
    for (let next = this.#socket.shift(); next !== undefined; next = this.#socket.shift()) {
      this.input({ kind: 'datagram', ...next });
    }
  }

  /** A datagram arrives; a stopped process finds it in its socket later. */
  arrive(instance: string, datagram: VrrpDatagram): void {
    if (!this.isAlive) return;
    if (!this.isPaused) this.input({ kind: 'datagram', instance, datagram });
    else if (this.#socket.length < 300) this.#socket.push({ instance, datagram });
  }

  setFault(instance: string, fault: string | undefined): void {
    if (fault === undefined) this.#faults.delete(instance);
    else this.#faults.set(instance, fault);
    if (this.isAlive && !this.isPaused) this.#tellConditions(instance);
  }

  /** New settings with the same members; a stopped process does not get them. */
  reload(settings: UnitSettings): void {
    if (!this.isAlive || this.isPaused) return;
    this.settings = settings;
    this.#ports.onSettings(this, true);
    this.input({ kind: 'reload' });
  }

  setWeight(value: number): void {
    this.#contributions = value === 0 ? [] : [{ tracker: 'check', value }];
    if (!this.isAlive || this.isPaused) return;
    for (const { name } of this.settings.members) this.#tellConditions(name);
  }

  /** After a pause: the world may have changed meanwhile. */
  tellAllConditions(): void {
    if (!this.isAlive || this.isPaused) return;
    for (const { name } of this.settings.members) this.#tellConditions(name);
  }

  input(input: Input): void {
    if (!this.isAlive) return;
    this.#inputs.push(input);
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

  #step(input: Input): void {
    // The parts of a union, each with its time added, are that union again.
    const event = { ...input, at: this.#ports.time.now() } as UnitEvent;
    if (event.kind === 'preemptionGranted') this.grantedAt = event.at;
    const { state, actions } = unitStep(this.state, event, this.settings);
    this.state = state;
    for (const action of actions) this.#carryOut(action, event);
    this.#ports.observe(this, event, actions);
  }

  #carryOut(action: UnitAction, event: UnitEvent): void {
    switch (action.kind) {
      case 'sendAdvert':
        this.#send(action.instance, action.priority);
        return;
      case 'startTimer':
        this.#startTimer(`${action.timer} ${action.instance}`, addTime(event.at, action.duration));
        return;
      case 'stopTimer':
        this.#timers.delete(`${action.timer} ${action.instance}`);
        return;
      case 'drainSockets':
        this.#drain(action.instance);
        return;
      case 'addVips':
        this.vips.add(action.instance);
        return;
      case 'removeVips':
        this.vips.delete(action.instance);
        return;
      case 'roleChanged':
        if (action.vipsWait) this.#answer({ kind: 'vipsReleased', epoch: action.epoch });
        return;
      case 'preemptionWanted':
        this.#answer({ kind: 'preemptionGranted', epoch: action.epoch });
        return;
      default:
        return;
    }
  }

  #drain(instance: string): void {
    const waiting = this.#socket.filter((each) => each.instance === instance);
    this.#socket = this.#socket.filter((each) => each.instance !== instance);
    for (const each of waiting) this.#inputs.push({ kind: 'datagram', ...each });
    this.#inputs.push({ kind: 'drained', instance });
  }

  #answer(input: Input): void {
    const { time, random, answerTime } = this.#ports;
    this.#later(time.now() + random.below(answerTime + 1), () => {
      this.input(input);
    });
  }

  #later(due: number, run: () => void): void {
    const life = this.#life;
    this.#ports.time.at(due, () => {
      if (life !== this.#life) return;
      if (this.isPaused) this.#later(due + 100_000, run);
      else run();
    });
  }

  #startTimer(key: string, due: number): void {
    const token = {};
    this.#timers.set(key, { due, token });
    this.#ports.time.at(due, () => {
      if (this.isPaused || this.#timers.get(key)?.token !== token) return;
      this.#ring(key, due);
    });
  }

  #ring(key: string, due: number): void {
    this.#timers.delete(key);
    const timer = timerOrder.find((name) => key.startsWith(`${name} `)) ?? ('' as TimerName);
    const instance = key.slice(timer.length + 1);
    this.input({ kind: 'timer', instance, timer, due: microseconds(due) });
  }

  #send(instance: string, priority: number): void {
    const settings = this.settings.members.find(({ name }) => name === instance);
    const source = this.addresses[instance];
    if (settings === undefined || source === undefined) throw new Error(`no member ${instance}`);
    const destination = settings.multicastGroup;
    const payload = encodeAdvert(advertOf(settings, priority), { source, destination });
    const totalLength = source.family === 4 ? 20 + payload.length : undefined;
    this.#ports.transmit(this, instance, { source, destination, ttl: 255, totalLength, payload });
  }

  #tellConditions(instance: string): void {
    const fault = this.#faults.get(instance);
    this.input({
      kind: 'conditions',
      instance,
      conditions: {
        faults: fault === undefined ? [] : [fault],
        awaiting: [],
        contributions: this.#contributions,
        sourceAddress: this.addresses[instance],
      },
    });
  }
}
