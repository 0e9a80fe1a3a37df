/**
 * The roles of a node, as its hello sends them to the peer: groups, and instances without a group.
 * Additive: a keepstate of before does not look at it, and one that does not send it has roles that
 * are unknown.
 *
 *   "roles":{"bound":"G1","units":[{"name":"G1","vrid":51,"state":"MASTER","forMs":1200,"priority":150}],"more":3}
 *
 * Bounded, because a receiver drops longer datagrams: what does not fit is counted in `more`. The
 * bound unit stands first.
 */
import { printableName } from '../../base/printable.js';
import { milliseconds, subtractTime, type Microseconds } from '../../base/time.js';

export type RoleName = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

/** What is known of one group or instance. */
export interface UnitRole {
  readonly name: string;
  /** Of its first member; the peer's unit may have another name. */
  readonly vrid: number;
  readonly state: RoleName;
  /** Monotonic time of whoever holds this. */
  readonly since: Microseconds;
  readonly priority: number;
}

export interface NodeRoles {
  /** Name of the unit that drives the sync engine. */
  readonly bound?: string;
  readonly units: readonly UnitRole[];
  /** How many further units there are. */
  readonly more?: number;
}

interface WireUnit {
  readonly name: string;
  readonly vrid: number;
  readonly state: RoleName;
  /** Milliseconds since it entered that state: the clocks of two nodes differ. */
  readonly forMs: number;
  readonly priority: number;
}

/** `units` of another node are read one by one: what is not understood there is left out. */
export interface WireRoles {
  readonly bound?: string;
  readonly units: readonly unknown[];
  readonly more?: number;
}

const stateNames: readonly string[] = ['INIT', 'BACKUP', 'MASTER', 'FAULT'];
/** Bytes of `units`; the rest of a hello has room beside them in 1,024. */
const mostBytes = 560;
/** Characters of a name; longer ones are cut. */
const longestName = 32;
const mostUnits = 16;
const largestUint32 = 0xffff_ffff;

export function toWireRoles({ bound, units, more = 0 }: NodeRoles, now: Microseconds): WireRoles {
  const ordered = [
    ...units.filter(({ name }) => name === bound),
    ...units.filter(({ name }) => name !== bound),
  ].map((unit) => toWire(unit, now));
  const fitting: WireUnit[] = [];
  let bytes = 0;
  for (const unit of ordered) {
    bytes += Buffer.byteLength(JSON.stringify(unit)) + 1;
    if (bytes > mostBytes || fitting.length === mostUnits) break;
    fitting.push(unit);
  }
  const left = ordered.length - fitting.length + more;
  return {
    ...(bound === undefined ? {} : { bound: cut(bound) }),
    units: fitting,
    ...(left === 0 ? {} : { more: left }),
  };
}

/**
 * Arbitrary values of the peer: what is no unit is left out, and not more than a node of today
 * sends is kept.
 */
export function fromWireRoles({ bound, units, more }: WireRoles, now: Microseconds): NodeRoles {
  return {
    ...(bound === undefined ? {} : { bound: cut(bound) }),
    units: units
      .slice(0, mostUnits)
      .filter(isWireUnit)
      .map(({ name, vrid, state, forMs, priority }) => ({
        ...{ name: cut(name), vrid, state, priority },
        since: subtractTime(now, milliseconds(forMs)),
      })),
    ...(more === undefined ? {} : { more }),
  };
}

export function isWireRoles(value: unknown): value is WireRoles {
  if (typeof value !== 'object' || value === null) return false;
  if (!('units' in value) || !Array.isArray(value.units)) return false;
  if ('bound' in value && typeof value.bound !== 'string') return false;
  return !('more' in value) || isUint32(value.more);
}

function isWireUnit(value: unknown): value is WireUnit {
  if (typeof value !== 'object' || value === null) return false;
  if (!('name' in value && 'vrid' in value && 'state' in value)) return false;
  if (!('forMs' in value && 'priority' in value)) return false;
  const { name, vrid, state, forMs, priority } = value;
  if (typeof name !== 'string' || typeof state !== 'string') return false;
  return stateNames.includes(state) && [vrid, forMs, priority].every(isUint32);
}

function toWire({ name, vrid, state, since, priority }: UnitRole, now: Microseconds): WireUnit {
  const forMs = Math.floor(subtractTime(now, since) / 1_000);
  const bounded = Math.min(largestUint32, Math.max(0, forMs));
  return { name: cut(name), vrid, state, forMs: bounded, priority };
}

function cut(name: string): string {
  return printableName(name, longestName);
}

function isUint32(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= largestUint32;
}
