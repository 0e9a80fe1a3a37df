/**
 * The first thing that two keepstates say to each other on the peer channel, and once a second: who
 * is there.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { PeerMessage } from '../wire/peerMessage.js';
import { fromWireRoles, toWireRoles, type NodeRoles } from '../wire/peerRoles.js';

const helloPause = seconds(1);
/** Towards a peer that never answers: it is a conntrackd, or not there. */
const lonelyHelloPause = seconds(5);
/**
 * Said as often as to a peer that is there: until it is greeted, a keepstate is taken for a
 * conntrackd.
 */
const firstHellos = 5;
const peerTimeout = seconds(5);
/** Longer than two nodes take to greet each other. */
const longUnheard = seconds(10);

type Hello = Extract<PeerMessage, { kind: 'hello' }>;

export interface GreetingPort {
  send(message: PeerMessage): void;
  /** keepstate's own version. */
  readonly version: string;
  readonly nodeName: string;
  /** On groups: what this node shows where it speaks to the peer's own address. */
  readonly directToken?: number;
  /** What the hello tells of the role that has left; absent: nothing. */
  readonly left?: (now: Microseconds) => Pick<Hello, 'leftovers' | 'wasMasterMs'>;
}

export interface GreetedPeer {
  readonly name: string;
  readonly version: string;
  /** It never takes the role. */
  readonly inMaintenance?: boolean;
  /** Absent: it does not say them. */
  readonly roles?: NodeRoles;
  /** Monotonic time of the hello that said them. */
  readonly rolesAt?: Microseconds;
  /** It answers comparisons, and ends its leftovers when their end is told. */
  readonly compares?: boolean;
  /** It tells what it knows of targets. */
  readonly comparesTargets?: boolean;
  /** It was MASTER in this boot: what it does not tell has ended. */
  readonly wasMaster?: boolean;
}

/** What this version can do. */
const can = ['compare', 'targets'] as const;

export class PeerGreeting {
  readonly #port: GreetingPort;
  #heardAt: Microseconds | undefined;
  #peer: GreetedPeer | undefined;
  #helloAt: Microseconds | undefined;
  #hellos = 0;
  /** Hellos of the peer that say that it hears nothing: the first in a row, and the last. */
  #unheard: { readonly since: Microseconds; readonly last: Microseconds } | undefined;
  #inMaintenance = false;
  #roles: NodeRoles | undefined;
  /** A new life of the peer spoke, and has not said its roles. */
  #isUnknown = false;

  constructor(port: GreetingPort) {
    this.#port = port;
  }

  /** What it last said of itself. */
  get peer(): GreetedPeer | undefined {
    return this.#peer;
  }

  /**
   * Whether the peer can list its flows; one that was greeted often enough in vain is a conntrackd.
   */
  comparingAbility(now: Microseconds): 'compares' | 'cannot' | 'unknown' {
    const peer = this.#peer;
    if (peer === undefined) return this.#hellos >= firstHellos ? 'cannot' : 'unknown';
    if (!this.isPresent(now)) return 'unknown';
    return peer.compares === true ? 'compares' : 'cannot';
  }

  isPresent(now: Microseconds): boolean {
    return this.#heardAt !== undefined && subtractTime(now, this.#heardAt) < peerTimeout;
  }

  /** Whether one of the sender's virtual routers is this node's too. */
  sharesRouter({ roles }: Hello): boolean {
    const own = this.#roles?.units ?? [];
    if (roles === undefined) return false;
    const { units } = fromWireRoles(roles, 0 as Microseconds);
    return units.some(({ vrid }) => own.some((unit) => unit.vrid === vrid));
  }

  /**
   * Whether the peer knows of all flows that it told in an earlier life: as MASTER, or as one that
   * was MASTER in this boot. Where roles are not said, that is taken for granted.
   */
  knowsItsFlows(): boolean {
    const peer = this.#peer;
    if (this.#isUnknown || peer === undefined) return false;
    if (peer.wasMaster === true || peer.roles === undefined || this.#roles === undefined)
      return true;
    const { bound, units } = peer.roles;
    return units.some(({ name, state }) => state === 'MASTER' && name === (bound ?? name));
  }

  peerRestarted(): void {
    this.#isUnknown = true;
  }

  /** Any message of the peer. */
  heard(now: Microseconds): void {
    this.#heardAt = now;
  }

  received(hello: Hello, now: Microseconds): void {
    const { name, version, roles } = hello;
    this.#isUnknown = false;
    this.#peer = {
      ...{ name, version },
      ...(hello.maintenance === true ? { inMaintenance: true } : {}),
      ...(roles === undefined ? {} : { roles: fromWireRoles(roles, now), rolesAt: now }),
      ...(hello.can?.includes('compare') === true ? { compares: true } : {}),
      ...(hello.can?.includes('targets') === true ? { comparesTargets: true } : {}),
      ...(hello.wasMasterMs === undefined ? {} : { wasMaster: true }),
    };
    this.#unheard = hello.heard ? undefined : { since: this.#unheard?.since ?? now, last: now };
    if (!hello.heard) this.say(now);
  }

  /** A peer that is heard, if only now and then, says for long that it hears nothing. */
  hearsNothing(now: Microseconds): boolean {
    if (this.#unheard === undefined) return false;
    const { since, last } = this.#unheard;
    return (
      subtractTime(now, since) >= longUnheard && subtractTime(now, last) < 3 * lonelyHelloPause
    );
  }

  /** The peer learns at once whether this node could take the role. */
  setMaintenance(on: boolean, now: Microseconds): void {
    if (this.#inMaintenance === on) return;
    this.#inMaintenance = on;
    if (this.isPresent(now)) this.say(now);
  }

  /** The peer learns at once who is MASTER here. */
  setRoles(roles: NodeRoles, now: Microseconds): void {
    this.#roles = roles;
    if (this.isPresent(now)) this.say(now);
  }

  tick(now: Microseconds): void {
    const isOften = this.isPresent(now) || this.#hellos < firstHellos;
    const pause = isOften ? helloPause : lonelyHelloPause;
    if (this.#helloAt === undefined || subtractTime(now, this.#helloAt) >= pause) this.say(now);
  }

  say(now: Microseconds): void {
    this.#helloAt = now;
    this.#hellos++;
    const { version, nodeName: name, directToken } = this.#port;
    const direct = directToken === undefined ? {} : { direct: directToken };
    const maintenance = this.#inMaintenance ? { maintenance: true } : {};
    const roles = this.#roles === undefined ? {} : { roles: toWireRoles(this.#roles, now) };
    const left = this.#port.left?.(now) ?? {};
    const heard = this.isPresent(now);
    const further = { ...maintenance, ...roles, ...direct, can, ...left };
    this.#port.send({ kind: 'hello', name, version, heard, ...further });
  }
}
