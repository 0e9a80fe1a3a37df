/**
 * Random lives of two to four routers on simulated LANs, in virtual time: loss, delay, duplication,
 * partition, pause, crash, link faults, weights. `liveOnce(seed)` lives one and throws where an
 * invariant does not hold; the same seed gives the same life.
 */
import { microseconds, seconds } from '../../../src/base/time.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { UnitEvent } from '../../../src/vrrp/machine/events.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import { toJsonLine } from '../../../src/vrrp/machine/recording.js';
import type { InstanceSettings } from '../../../src/vrrp/settings.js';
import type { UnitSettings } from '../../../src/vrrp/machine/state.js';
import { SeededRandom } from '../base/seededRandom.js';
import { VirtualTime } from '../base/virtualTime.js';
import { LifeInvariants } from './invariants.js';
import { SimulatedRouter } from './router.js';
import { instanceSettings, ip, unitSettings, vip } from './settings.js';

export interface LifeReport {
  readonly seed: number;
  readonly routers: number;
  readonly steps: number;
  readonly transitions: number;
}

interface Wire {
  lossPercent: number;
  duplicatePercent: number;
  /** Of a datagram that is duplicated. */
  copies: number;
  /** Microseconds. */
  maximalDelay: number;
  /** Routers of different sides do not hear each other. */
  readonly side: Map<string, number>;
}

const milliseconds = 1_000;

const overIpv6 = {
  family: 6,
  multicastGroup: ip('ff02::12'),
  virtualAddresses: [vip('fe80::100')],
} as const;

/**
 * `record` gets the life as recorded lines (recording.ts), one unit per router, also if it ends
 * badly.
 */
export function liveOnce(seed: number, record?: (line: string) => void): LifeReport {
  const life = new Life(seed, record);
  try {
    return life.live();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed} (npm run vrrp:life -- ${seed}): ${text}`, { cause });
  }
}

class Life {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #wires = new Map<string, Wire>();
  readonly #routers: SimulatedRouter[] = [];
  readonly #invariants: LifeInvariants;
  readonly #write: ((line: string) => void) | undefined;
  readonly #interval: number;
  readonly #answerTime: number;
  readonly #isCrossed: boolean;
  readonly #isIpv6: boolean;
  /** Datagrams that were sent in an earlier era are not delivered any more. */
  #era = 0;
  #steps = 0;

  constructor(seed: number, write: ((line: string) => void) | undefined) {
    this.#seed = seed;
    this.#write = write;
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    const version = random.chance(70) ? 2 : 3;
    this.#interval = version === 2 ? seconds(1) : random.between(10, 100) * 10 * milliseconds;
    this.#isIpv6 = version === 3 && random.chance(50);
    const isBound = random.chance(40);
    this.#answerTime = isBound ? random.below(random.pick([1, 2, 8]) * this.#interval) : 0;
    const names = random.chance(35) ? ['A', 'B'] : ['A'];
    for (const name of names) this.#wires.set(name, quietWire());
    const preemptDelay = random.chance(15) ? random.between(1, 5) * this.#interval : 0;
    const nopreempt = random.chance(25);
    const count = random.pick([2, 2, 2, 3, 4]);
    // The node with the higher address on one LAN has the lower one on the other.
    this.#isCrossed = names.length > 1 && random.chance(25);
    for (let i = 1; i <= count; i++) {
      const priority = random.chance(5) ? 255 : random.pick([25, 50, 50, 100, 100, 150, 200, 254]);
      const members = names.map((name, j) =>
        instanceSettings({
          name,
          version,
          ...(this.#isIpv6 ? overIpv6 : {}),
          virtualRouterId: 51 + j,
          priority,
          preempt: priority === 255 || !nopreempt,
          initialState: priority === 255 ? 'MASTER' : 'BACKUP',
          advertInterval: microseconds(this.#interval),
          preemptDelay: microseconds(priority === 255 ? 0 : preemptDelay),
          higherPrioSendAdvert: random.chance(20),
          lowerPrioNoAdvert: random.chance(10),
        }),
      );
      this.#add(`R${i}`, members, isBound);
    }
    this.#invariants = new LifeInvariants(this.#interval);
  }

  live(): LifeReport {
    for (const router of this.#routers) this.#startLater(router);
    const stormy = this.#random.between(3, 25) * this.#interval;
    const incidents = this.#random.between(1, 12);
    for (let i = 0; i < incidents; i++) {
      this.#time.at(this.#random.below(stormy), () => {
        this.#strike();
      });
    }
    this.#time.runUntil(stormy);
    this.#calm();
    this.#settle();
    return {
      seed: this.#seed,
      routers: this.#routers.length,
      steps: this.#steps,
      transitions: this.#invariants.transitions,
    };
  }

  #add(name: string, members: readonly InstanceSettings[], isBound: boolean): void {
    const gates = { commitBeforeVip: isBound, commitBeforePreempt: isBound };
    const settings: UnitSettings = unitSettings(members, gates);
    const number = this.#routers.length + 1;
    const addresses = Object.fromEntries(
      members.map((member, j) => {
        const host = this.#isCrossed && j > 0 ? 100 - number : number;
        return [member.name, ip(this.#isIpv6 ? `fe80::${j}:${host}` : `10.0.${j}.${host}`)];
      }),
    );
    const ports = {
      time: this.#time,
      random: this.#random,
      answerTime: this.#answerTime,
      transmit: this.#transmit.bind(this),
      onSettings: ({ name: unit, settings: own }: SimulatedRouter, isReload: boolean) => {
        const at = this.#time.now();
        this.#record(isReload ? { unit, newSettings: own } : { unit, at, settings: own });
      },
      observe: this.#observe.bind(this),
    };
    this.#routers.push(new SimulatedRouter(ports, name, settings, addresses));
  }

  #startLater(router: SimulatedRouter): void {
    const delay = this.#random.chance(50) ? 0 : this.#random.below(6 * this.#interval);
    this.#time.at(delay, () => {
      router.start();
    });
  }

  #observe(router: SimulatedRouter, event: UnitEvent, actions: readonly UnitAction[]): void {
    this.#steps += 1;
    this.#record({ unit: router.name, event });
    this.#invariants.check(router, event, actions);
  }

  #record(line: object): void {
    this.#write?.(toJsonLine(line));
  }

  #transmit(from: SimulatedRouter, instance: string, datagram: VrrpDatagram): void {
    const wire = this.#wires.get(instance);
    if (wire === undefined || from.faultyInstances.includes(instance)) return;
    const era = this.#era;
    for (const to of this.#routers) {
      const isNear = (wire.side.get(to.name) ?? 0) === (wire.side.get(from.name) ?? 0);
      if (to === from || !isNear || to.faultyInstances.includes(instance)) continue;
      const copies = this.#random.chance(wire.duplicatePercent) ? wire.copies : 1;
      for (let i = 0; i < copies; i++) {
        if (this.#random.chance(wire.lossPercent)) continue;
        const delay = this.#random.below(wire.maximalDelay + 1);
        this.#time.at(this.#time.now() + delay, () => {
          if (era === this.#era) to.arrive(instance, datagram);
        });
      }
    }
  }

  /** Something happens to somebody. */
  #strike(): void {
    const random = this.#random;
    const router = random.pick(this.#routers);
    const wire = random.pick([...this.#wires.values()]);
    const instance = random.pick([...this.#wires.keys()]);
    const incidents: readonly (() => void)[] = [
      () => {
        wire.lossPercent = random.pick([0, 10, 50, 95]);
      },
      () => {
        wire.duplicatePercent = random.pick([0, 20, 100]);
        // Many late copies of old adverts make every protocol flap: a flood comes at once.
        wire.copies = wire.maximalDelay > milliseconds ? 2 : random.pick([2, 20]);
        wire.maximalDelay = random.pick([1, 50, 500, 2_000]) * milliseconds;
      },
      () => {
        for (const each of this.#routers) wire.side.set(each.name, random.below(2));
      },
      () => {
        wire.side.clear();
      },
      () => {
        router.pause();
        this.#time.at(this.#time.now() + random.below(8 * this.#interval), () => {
          router.resume();
          router.tellAllConditions();
        });
      },
      () => {
        router.crash();
        if (random.chance(70)) this.#startLater(router);
      },
      () => {
        router.stop();
        if (random.chance(70)) this.#startLater(router);
      },
      () => {
        router.setFault(instance, random.chance(60) ? `interface of ${instance} down` : undefined);
      },
      () => {
        router.setWeight(random.pick([0, 0, 20, -20, -60, 100]));
      },
      () => {
        if (!router.isPaused) router.input({ kind: 'resign', because: 'failover' });
      },
      () => {
        if (!router.isPaused) router.input({ kind: 'maintenance', on: random.chance(70) });
      },
      () => {
        const event = { kind: 'assumeRole', because: 'hand-over', vipsCommitted: true } as const;
        if (!router.isPaused) router.input(event);
      },
      () => {
        this.#reload(router);
      },
      () => {
        this.#junk(router, instance);
      },
    ];
    random.pick(incidents)();
  }

  /** Routed adverts of any priority (TTL 1), ten in each of three intervals. */
  #junk(router: SimulatedRouter, instance: string): void {
    const settings = router.settings.members.find(({ name }) => name === instance);
    if (settings === undefined) return;
    const source = ip(this.#isIpv6 ? 'fe80::99' : '10.0.0.99');
    const destination = settings.multicastGroup;
    const advert = advertOf(settings, this.#random.pick([0, 1, 100, 255]));
    const payload = encodeAdvert(advert, { source, destination });
    const totalLength = this.#isIpv6 ? undefined : 20 + payload.length;
    for (let i = 0; i < 30; i++) {
      this.#time.at(this.#time.now() + (i * this.#interval) / 10, () => {
        router.arrive(instance, { source, destination, ttl: 1, totalLength, payload });
      });
    }
  }

  /** The same priority for all members: with several ones they could elect different masters. */
  #reload(router: SimulatedRouter): void {
    const priority = this.#random.pick([1, 50, 100, 150, 254]);
    const preempt = this.#random.chance(80);
    const members = router.settings.members.map((member) => ({
      ...member,
      priority: member.priority === 255 ? 255 : priority,
      preempt: member.priority === 255 || preempt,
    }));
    router.reload({ ...router.settings, members });
  }

  /** From here on the LAN is quiet, nobody is stopped, and nobody is kept from preempting. */
  #calm(): void {
    this.#era += 1;
    // What is said before a resumed process has learnt of its changed priority belongs to the
    // storm.
    for (const wire of this.#wires.values()) wire.lossPercent = 100;
    for (const router of this.#routers) {
      router.resume();
      router.tellAllConditions();
      router.input({ kind: 'releasePreemption' });
      router.input({ kind: 'maintenance', on: false });
    }
    for (const wire of this.#wires.values()) Object.assign(wire, quietNumbers).side.clear();
    // One more start may stand in the diary; whoever is down now stays down.
    for (const router of this.#routers) if (!router.isAlive) router.retire();
  }

  #settle(): void {
    const eligible = this.#routers.filter(
      (router) => router.isAlive && router.faultyInstances.length === 0,
    );
    // Who lost a member's tie in the storm, where the adverts of another member got lost, may give
    // way at the next one.
    const rivals = eligible.filter(
      ({ state }) =>
        state.role === 'MASTER' &&
        Object.values(state.members).every(({ firstTieLost }) => firstTieLost === undefined),
    );
    const bound = this.#invariants.timeout(eligible) + 2 * this.#answerTime;
    this.#time.runUntil(this.#time.now() + bound);
    const quietSteps = this.#invariants.beginQuiet(this.#routers, eligible, rivals);
    this.#time.runUntil(this.#time.now() + 5 * this.#interval);
    quietSteps.end(5);
  }
}

const quietNumbers = { lossPercent: 0, duplicatePercent: 0, copies: 2, maximalDelay: milliseconds };

function quietWire(): Wire {
  return { ...quietNumbers, side: new Map() };
}
