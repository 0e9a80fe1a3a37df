/**
 * Conformance cases of the VRRP machine: one file of JSON lines each, under test/conformance/vrrp.
 *
 *   {"case": title, "rule": source, "settings": {...}, "members": [{...}], "unit": {...}}   once, first
 *   {"setup": "MASTER" | "BACKUP" | "INIT", "at": us}      brings the unit there; nothing is expected
 *   {"in": {"at": us, ...}}                                one event, see `eventsOf`
 *   {"out": {...}}                                         each action that followed, in order
 *   {"end": {...}}                                         the final state, counters and problems
 *
 * `renderCase` keeps the first three kinds and writes the other two anew.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { microseconds } from '../../../src/base/time.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import type { AdvertProof } from '../../../src/vrrp/auth/proof.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { Conditions, TimerName, UnitEvent } from '../../../src/vrrp/machine/events.js';
import { unitStep } from '../../../src/vrrp/machine/unit.js';
import { encodeAdvert, type Advert } from '../../../src/vrrp/wire/packet.js';
import { fromJsonLine, toJsonLine } from '../../../src/vrrp/machine/recording.js';
import type { InstanceSettings } from '../../../src/vrrp/settings.js';
import { initialUnit, type UnitSettings, type UnitState } from '../../../src/vrrp/machine/state.js';
import { masterDownTime } from '../../../src/vrrp/machine/timing.js';
import { instanceSettings, ip, unitSettings, type InstanceOverrides } from './settings.js';

export const casesDirectory = join(__dirname, '../../conformance/vrrp');

export interface CaseHead {
  readonly case: string;
  readonly rule: string;
  readonly settings?: InstanceOverrides;
  readonly members?: readonly InstanceOverrides[];
  readonly unit?: Partial<UnitSettings>;
}

/**
 * Fields of a received advert that differ from what a twin of the instance with priority 50 would
 * send.
 */
interface AdvertInput {
  readonly from?: IpAddress;
  readonly to?: IpAddress;
  readonly ttl?: number;
  readonly totalLength?: number;
  /** Message fields to replace before it is encoded. */
  readonly fields?: Partial<Advert>;
  readonly priority?: number;
  /** The checksum is made for this destination instead of the real one. */
  readonly sealedFor?: IpAddress;
  /** After encoding: bytes cut off (negative) or zeros added (positive). */
  readonly lengthen?: number;
  /** The first byte behind the message, where it is lengthened. */
  readonly trailerByte?: number;
  /** After encoding: turned bits, as `offset: mask`. */
  readonly flip?: Readonly<Record<string, number>>;
  /** What the verifier made of the trailer. */
  readonly proof?: AdvertProof;
}

interface EventInput {
  readonly at: number;
  readonly instance?: string;
  readonly advert?: AdvertInput;
  /** The timer rings, and where sockets are to be drained nothing waited in them. */
  readonly expire?: TimerName;
  /** The timer rings; draining is left open. */
  readonly timer?: TimerName;
  readonly drained?: true;
  readonly conditions?: Partial<Conditions>;
  readonly reload?: {
    readonly settings?: InstanceOverrides;
    readonly unit?: Partial<UnitSettings>;
  };
  readonly event?: object;
  /** Draining after a grant is left open. */
  readonly leaveOpen?: true;
}

interface Life {
  settings: UnitSettings;
  state: UnitState;
}

/** Paths of all cases, sorted. */
export function caseFiles(): readonly string[] {
  return readdirSync(casesDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(casesDirectory, name));
}

/** The head of a case. */
export function caseHead(text: string): CaseHead {
  return fromJsonLine(text.slice(0, text.indexOf('\n'))) as CaseHead;
}

/** The case with the expectations that follow from its inputs. */
export function renderCase(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const head = caseHead(text);
  const life = begin(head);
  const output: string[] = [];
  for (const line of lines) {
    const value = fromJsonLine(line) as Record<string, unknown>;
    if ('out' in value || 'end' in value) continue;
    output.push(line);
    if ('setup' in value) setUp(life, String(value['setup']), Number(value['at']));
    if (!('in' in value)) continue;
    const actions = feed(life, value['in'] as EventInput);
    output.push(...actions.map((action) => `  ${toJsonLine({ out: action })}`));
  }
  output.push(toJsonLine({ end: summary(life.state) }));
  return `${output.join('\n')}\n`;
}

function begin(head: CaseHead): Life {
  const members = (head.members ?? [{}]).map((member) =>
    instanceSettings({ ...head.settings, ...member }),
  );
  const settings = unitSettings(members, head.unit);
  return { settings, state: initialUnit(settings, microseconds(0)) };
}

function step(life: Life, event: UnitEvent): readonly UnitAction[] {
  const { state, actions } = unitStep(life.state, event, life.settings);
  life.state = state;
  return actions;
}

function setUp(life: Life, role: string, at: number): void {
  for (const { name } of life.settings.members) {
    step(life, conditionsEvent(life, at, name, {}));
  }
  if (role === 'INIT') return;
  step(life, { kind: 'start', at: microseconds(at), resumeMaster: false });
  if (role === 'BACKUP' || life.state.role === 'MASTER') return;
  const down = life.settings.members.map((member) => {
    const state = life.state.members[member.name];
    return state === undefined ? 0 : masterDownTime(member, state);
  });
  const later = at + Math.max(...down);
  for (const { name } of life.settings.members) {
    feed(life, { at: later, instance: name, expire: 'masterDown' });
  }
  const { epoch } = life.state;
  feed(life, { at: later, event: { kind: 'preemptionGranted', epoch } });
  step(life, { kind: 'vipsReleased', at: microseconds(later), epoch: life.state.epoch });
}

function feed(life: Life, input: EventInput): readonly UnitAction[] {
  const actions: UnitAction[] = [];
  if (input.reload !== undefined) reload(life, input.reload);
  for (const event of eventsOf(life, input)) {
    const followed = step(life, event);
    actions.push(...followed);
    // A grant and `expire` find nothing in the sockets; with `timer` the draining is left open.
    const isAnswered = event.kind === 'preemptionGranted' && input.leaveOpen !== true;
    if (input.expire === undefined && !isAnswered) continue;
    actions.push(...drainNothing(life, event, followed));
  }
  return actions;
}

function drainNothing(
  life: Life,
  event: UnitEvent,
  followed: readonly UnitAction[],
): readonly UnitAction[] {
  return followed.flatMap((action) =>
    action.kind === 'drainSockets'
      ? step(life, { kind: 'drained', at: event.at, instance: action.instance })
      : [],
  );
}

function eventsOf(life: Life, input: EventInput): readonly UnitEvent[] {
  const at = microseconds(input.at);
  const instance = input.instance ?? life.settings.members[0]?.name ?? '';
  const timer = input.expire ?? input.timer;
  if (timer !== undefined) {
    const due = life.state.members[instance]?.timers[timer] ?? at;
    return [{ kind: 'timer', at, instance, timer, due }];
  }
  if (input.drained !== undefined) return [{ kind: 'drained', at, instance }];
  if (input.conditions !== undefined) {
    return [conditionsEvent(life, at, instance, input.conditions)];
  }
  if (input.reload !== undefined) return [{ kind: 'reload', at }];
  if (input.advert !== undefined) {
    const settings = life.settings.members.find(({ name }) => name === instance);
    return settings === undefined ? [] : [advertEvent(settings, at, input.advert)];
  }
  // Written in full; the machine ignores what it does not know.
  return [{ ...input.event, at } as UnitEvent];
}

function conditionsEvent(
  life: Life,
  at: number,
  instance: string,
  conditions: Partial<Conditions>,
): UnitEvent {
  const family = life.settings.members[0]?.family ?? 4;
  return {
    kind: 'conditions',
    at: microseconds(at),
    instance,
    conditions: {
      faults: [],
      awaiting: [],
      contributions: [],
      sourceAddress: ip(family === 4 ? '10.0.0.5' : 'fe80::5'),
      ...conditions,
    },
  };
}

function advertEvent(settings: InstanceSettings, at: number, input: AdvertInput): UnitEvent {
  const isUnicast = settings.unicastPeers.length > 0;
  const own = ip(settings.family === 4 ? '10.0.0.5' : 'fe80::5');
  const source = input.from ?? ip(settings.family === 4 ? '10.0.0.2' : 'fe80::2');
  const destination = input.to ?? (isUnicast ? own : settings.multicastGroup);
  // The fields are those of one of the two versions; a case that mixes them says so.
  const advert = { ...advertOf(settings, input.priority ?? 50), ...input.fields } as Advert;
  const encoded = encodeAdvert(advert, { source, destination: input.sealedFor ?? destination });
  const length = encoded.length + (input.lengthen ?? 0);
  const payload = new Uint8Array(length);
  payload.set(encoded.subarray(0, length));
  if (input.trailerByte !== undefined) payload[encoded.length] = input.trailerByte;
  for (const [offset, mask] of Object.entries(input.flip ?? {})) payload[Number(offset)]! ^= mask;
  return {
    kind: 'datagram',
    at: microseconds(at),
    instance: settings.name,
    ...(input.proof === undefined ? {} : { proof: input.proof }),
    datagram: {
      source,
      destination,
      ttl: input.ttl ?? 255,
      totalLength: input.totalLength ?? (settings.family === 4 ? 20 + length : undefined),
      payload,
    },
  };
}

function reload(life: Life, change: NonNullable<EventInput['reload']>): void {
  const { garp, ...rest } = change.settings ?? {};
  const members = life.settings.members.map((member) => ({
    ...member,
    ...rest,
    garp: { ...member.garp, ...garp },
  }));
  life.settings = { ...life.settings, ...change.unit, members };
}

/** Timers as instants; only counters that moved; of problems the sentences. */
function summary(state: UnitState): object {
  const members = Object.values(state.members).map((member) => [
    member.name,
    {
      state: member.state,
      priority: member.effectivePriority,
      because: member.because,
      ...(member.wantsMaster ? { wantsMaster: true } : {}),
      ...(member.master === undefined ? {} : { master: formatIp(member.master.address) }),
      timers: member.timers,
      vips: member.vips,
      counters: Object.fromEntries(Object.entries(member.counters).filter(([, n]) => n > 0)),
      problems: Object.values(member.problems).map(({ text, count }) => `${count}x ${text}`),
    },
  ]);
  const { role, epoch, preemption } = state;
  return { role, epoch, preemption, members: Object.fromEntries(members) as object };
}
