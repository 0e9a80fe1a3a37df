/** What the router shows to `status`: plain data, taken at one moment. */
import { formatIp } from '../../base/ipAddress.js';
import { microseconds, toSeconds, type Clock, type Microseconds } from '../../base/time.js';
import type { StateName } from '../machine/actions.js';
import type { AdvertAuthentication } from '../auth/advertAuthentication.js';
import type { Presence } from '../addresses/interfaceAddresses.js';
import type { InstanceCounters } from '../machine/counters.js';
import type { Holdings, HoldingStatus } from '../addresses/holdings.js';
import { problemRemedy, settingRemarks, type ProblemSnapshot } from './remedies.js';
import type { UnitView } from './rolePicture.js';
import type { Senders } from '../wire/senders.js';
import type { HmacSettings, InstanceSettings, VrrpSettings } from '../settings.js';
import type { HeardMaster, InstanceState } from '../machine/state.js';
import { mergeTracking } from '../tracking/observations.js';
import type { ScriptReport, Trackers } from '../tracking/trackers.js';
import { groupOf } from '../machine/units.js';

/** `text` as in keepalived's dump; `isPresent`: seen on the interface now, whatever we believe. */
export interface ItemSnapshot {
  readonly text: string;
  readonly state: 'set' | 'pending' | 'absent';
  readonly isPresent: boolean;
  readonly isExcluded: boolean;
  /** Why it is pending. */
  readonly because?: string;
}

export interface PeerSnapshot {
  readonly address: string;
  readonly priority: number;
  /** Microseconds since 1970. */
  readonly lastHeard: Microseconds;
}

/** Keys by number, as their fingerprints. */
export interface HmacSnapshot {
  readonly mode: string;
  readonly activeKeyId: number;
  readonly keys: Readonly<Record<number, string>>;
}

export interface InstanceSnapshot {
  readonly name: string;
  readonly unit: string;
  readonly state: StateName;
  /** Microseconds since 1970. */
  readonly since: Microseconds;
  readonly reason: string;
  readonly interface: string;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly priority: number;
  readonly effectivePriority: number;
  /** The interval that the master-down timer counts with: ours in v2, the master's in v3. */
  readonly masterAdvertInterval: Microseconds;
  readonly sourceAddress: string | undefined;
  readonly vips: readonly ItemSnapshot[];
  readonly routes: readonly ItemSnapshot[];
  /** The router that is MASTER while this one is not. */
  readonly master: PeerSnapshot | undefined;
  readonly faults: readonly string[];
  readonly awaiting: readonly string[];
  readonly vipsWait: boolean;
  /** Where advertisements are signed (auth_hmac). */
  readonly hmac?: HmacSnapshot;
  readonly counters: InstanceCounters;
  readonly problems: readonly ProblemSnapshot[];
  /** Monotonic; for the state file. */
  readonly lastAdvertSent: Microseconds | undefined;
}

export interface UnitSnapshot {
  readonly name: string;
  readonly isGroup: boolean;
  readonly state: StateName;
  readonly since: Microseconds;
  readonly reason: string;
  readonly epoch: number;
  readonly members: readonly string[];
  readonly preemption: 'free' | 'asked' | 'granted' | 'held';
  readonly heldBecause: string | undefined;
  readonly inMaintenance: boolean;
}

export interface RouterSnapshot {
  readonly units: readonly UnitSnapshot[];
  readonly instances: readonly InstanceSnapshot[];
  readonly statics: readonly ItemSnapshot[];
  readonly scripts: readonly ScriptReport[];
}

/** Where a snapshot is taken from. */
export interface SnapshotSource {
  readonly settings: VrrpSettings;
  readonly units: readonly UnitView[];
  readonly holdings: Holdings;
  readonly staticOwner: string;
  readonly trackers: Trackers;
  readonly senders: Senders;
  readonly auth: AdvertAuthentication;
  readonly clock: Clock;
}

export function takeSnapshot(source: SnapshotSource): RouterSnapshot {
  const toWall = wallClockOf(source.clock);
  const presence = source.holdings.presence();
  const instances = source.units.flatMap((unit) =>
    unit.settings.members.flatMap((settings) => {
      const state = unit.state.members[settings.name];
      if (state === undefined) return [];
      return [instanceSnapshot({ ...source, presence }, unit, settings, state, toWall)];
    }),
  );
  return {
    units: source.units.map(({ settings, state }) => ({
      name: settings.name,
      isGroup: settings.isGroup,
      state: state.role,
      since: toWall(state.since),
      reason: state.because,
      epoch: state.epoch,
      members: settings.members.map((member) => member.name),
      preemption: state.preemption,
      heldBecause: state.heldBecause,
      inMaintenance: state.inMaintenance,
    })),
    instances,
    statics: source.holdings.status(source.staticOwner).map(itemSnapshot),
    scripts: source.trackers.scriptReports,
  };
}

function instanceSnapshot(
  source: SnapshotSource & { readonly presence: Presence },
  unit: UnitView,
  settings: InstanceSettings,
  state: InstanceState,
  toWall: (at: Microseconds) => Microseconds,
): InstanceSnapshot {
  const held = source.holdings.complete(settings.name, settings, source.presence);
  const items = held.map(itemSnapshot);
  const isAddress = held.map((one) => one.item.kind === 'address');
  return {
    name: settings.name,
    unit: unit.settings.name,
    state: state.state,
    since: toWall(state.since),
    reason: state.because,
    interface: settings.interfaceName,
    family: settings.family,
    version: settings.version,
    vrid: settings.virtualRouterId,
    priority: settings.priority,
    effectivePriority: state.effectivePriority,
    masterAdvertInterval: state.masterAdvertInterval,
    sourceAddress: state.conditions.sourceAddress && formatIp(state.conditions.sourceAddress),
    vips: items.filter((_item, i) => isAddress[i]),
    routes: items.filter((_item, i) => !isAddress[i]),
    master: peerSnapshot(state.master ?? state.weakerMaster, toWall),
    faults: state.conditions.faults,
    awaiting: state.conditions.awaiting,
    vipsWait: state.vips === 'waiting',
    ...(settings.hmac === undefined ? {} : { hmac: hmacSnapshot(settings.hmac) }),
    counters: state.counters,
    problems: problemSnapshots(source, settings, state, held, toWall),
    lastAdvertSent: state.lastAdvertSent,
  };
}

function hmacSnapshot({ mode, activeKeyId, keys }: HmacSettings): HmacSnapshot {
  const fingerprints = keys.map(({ id, secret }) => [id, secret.fingerprint] as const);
  return { mode, activeKeyId, keys: Object.fromEntries(fingerprints) };
}

function itemSnapshot(status: HoldingStatus): ItemSnapshot {
  const { item, state, isPresent, because } = status;
  return {
    text: item.text,
    state,
    isPresent,
    isExcluded: item.kind === 'address' && item.isExcluded,
    ...(because === undefined ? {} : { because }),
  };
}

function peerSnapshot(
  heard: HeardMaster | undefined,
  toWall: (at: Microseconds) => Microseconds,
): PeerSnapshot | undefined {
  if (heard === undefined) return undefined;
  const { priority, lastHeard } = heard;
  return { address: formatIp(heard.address), priority, lastHeard: toWall(lastHeard) };
}

function problemSnapshots(
  source: SnapshotSource,
  settings: InstanceSettings,
  state: InstanceState,
  held: readonly HoldingStatus[],
  toWall: (at: Microseconds) => Microseconds,
): readonly ProblemSnapshot[] {
  const heard = Object.values(state.problems).map((problem): ProblemSnapshot => {
    const { reason, text, count } = problem;
    return { reason, text, count, remedy: problemRemedy(reason), lastSeen: toWall(problem.last) };
  });
  const pending = held
    .filter((one) => one.state === 'pending')
    .map(({ item, because }): ProblemSnapshot => {
      const text = `${item.text} is not set: ${because ?? 'not tried yet'}`;
      return { reason: 'pending', text, count: 1, remedy: problemRemedy('pending') };
    });
  // Nobody else sends: what a farewell met stays true of no present advert.
  const isSender = state.state === 'MASTER';
  const failure = isSender ? source.senders.failureOf(settings.name) : undefined;
  const unsent: ProblemSnapshot[] =
    failure === undefined
      ? []
      : [
          {
            reason: 'send',
            text: `adverts do not leave: ${failure}`,
            count: 1,
            remedy: problemRemedy('send'),
          },
        ];
  const disabled = disabledScripts(source, settings);
  const setBack = clockSetBack(source, settings);
  return [
    ...[...heard, ...pending, ...unsent, ...setBack, ...disabled],
    ...settingRemarks(settings),
  ];
}

/** The numbers of `anti_replay time` are instants, and go on growing when the clock does not. */
function clockSetBack(
  { auth }: SnapshotSource,
  { hmac }: InstanceSettings,
): readonly ProblemSnapshot[] {
  if (hmac?.antiReplay !== 'time' || auth.ahead <= hmac.timeWindow) return [];
  const by = toSeconds(auth.ahead).toFixed(1);
  const text = `this clock was set back: the last advert sent was signed ${by} s ahead of it, beyond the time_window of the peers`;
  return [{ reason: 'clockSkew', text, count: 1, remedy: problemRemedy('clockSkew') }];
}

function disabledScripts(
  { settings: all, trackers }: SnapshotSource,
  instance: InstanceSettings,
): readonly ProblemSnapshot[] {
  const tracked = mergeTracking(instance, groupOf(all, instance.name)).scripts;
  return trackers.scriptReports
    .filter(({ name, verdict }) => verdict === 'disabled' && tracked.some((t) => t.name === name))
    .map(({ name, lastEnd }) => ({
      reason: 'script',
      text: `track script ${name} does not count: ${lastEnd}`,
      count: 1,
      remedy: problemRemedy('script'),
    }));
}

function wallClockOf(clock: Clock): (at: Microseconds) => Microseconds {
  const offset = microseconds(clock.wallClock() - clock.now());
  return (at) => microseconds(at + offset);
}
