/**
 * What the trackers see, and what it means for an instance: keepalived's priority arithmetic. Pure.
 * A tracker says good, bad, (before its first result) unknown, or disabled; a file says a number.
 */
import type { Conditions, Contribution } from '../machine/events.js';
import { isTrackerFault, trackerContribution } from '../machine/priority.js';
import type {
  InstanceSettings,
  SyncGroupSettings,
  TrackReference,
  VrrpSettings,
} from '../settings.js';

/** `disabled`: cannot be run here at all, and counts for nothing. */
export type TrackVerdict = 'unknown' | 'good' | 'bad' | 'disabled';

/** What is known of a `vrrp_track_target` (src/vrrp/reach). */
export interface TargetObservation {
  readonly verdict: TrackVerdict;
  /** The MASTER hands over first: the loss is no fault yet. */
  readonly isYielding: boolean;
  /** The sentence when it is bad. */
  readonly text: string;
}

/** Latest result of each tracker, by name. Absent counts as `unknown`, a missing file as 0. */
export interface Observations {
  readonly interfaces: ReadonlyMap<string, TrackVerdict>;
  readonly scripts: ReadonlyMap<string, TrackVerdict>;
  readonly files: ReadonlyMap<string, number>;
  readonly processes: ReadonlyMap<string, TrackVerdict>;
  /** Absent where nobody asks targets. */
  readonly targets?: ReadonlyMap<string, TargetObservation>;
}

/** What tracking makes of one instance: the part of `Conditions` that trackers decide. */
export type TrackOutcome = Pick<Conditions, 'faults' | 'awaiting' | 'contributions'>;

interface Verdict {
  readonly reference: TrackReference;
  readonly tracker: string;
  /** The sentence when it is bad. */
  readonly what: string;
  readonly verdict: TrackVerdict;
}

/** Judges everything that `instance` tracks, its group's trackers included. */
export function judgeTracking(
  settings: VrrpSettings,
  instance: InstanceSettings,
  group: SyncGroupSettings | undefined,
  seen: Observations,
): TrackOutcome {
  const merged = mergeTracking(instance, group);
  const verdicts: Verdict[] = [
    ...merged.interfaces.map((reference) => ({
      reference,
      tracker: `interface ${reference.name}`,
      what: `interface ${reference.name} is down`,
      verdict: seen.interfaces.get(reference.name) ?? 'bad',
    })),
    ...merged.scripts.map((reference) => ({
      reference,
      tracker: `script ${reference.name}`,
      what: `script ${reference.name} fails`,
      verdict: seen.scripts.get(reference.name) ?? 'unknown',
    })),
    ...merged.processes.map((reference) => ({
      reference,
      tracker: `process ${reference.name}`,
      what: `process ${reference.name} is missing`,
      verdict: seen.processes.get(reference.name) ?? 'unknown',
    })),
    ...(merged.targets ?? []).map((reference) => targetVerdict(reference, seen)),
  ];
  const outcome = new Gathering();
  for (const verdict of verdicts) outcome.addVerdict(verdict);
  for (const reference of merged.files) {
    if (settings.files.some((file) => file.name === reference.name)) {
      outcome.addFile(reference, seen.files.get(reference.name) ?? 0);
    }
  }
  return outcome;
}

function targetVerdict(reference: TrackReference, seen: Observations): Verdict {
  const found = seen.targets?.get(reference.name);
  const tracker = `target ${reference.name}`;
  const waits = found?.isYielding === true && reference.weight === 0;
  return {
    reference,
    tracker,
    what: found?.text ?? `${tracker} is unreachable`,
    verdict: found === undefined || waits ? 'disabled' : found.verdict,
  };
}

/**
 * The trackers of an instance and of its group. In a group the instance's weights do not count
 * unless `sync_group_tracking_weight` is on: members with different priorities could elect
 * different masters.
 */
export function mergeTracking(
  instance: InstanceSettings,
  group: SyncGroupSettings | undefined,
): InstanceSettings['tracking'] {
  if (group === undefined) return instance.tracking;
  const merge = (
    own: readonly TrackReference[],
    shared: readonly TrackReference[],
  ): readonly TrackReference[] => {
    const names = new Set(shared.map((reference) => reference.name));
    const kept = own.filter((reference) => !names.has(reference.name));
    const counted = kept.filter((reference) => group.trackingWeight || reference.weight === 0);
    return [...counted, ...shared];
  };
  const targets = merge(instance.tracking.targets ?? [], group.tracking.targets ?? []);
  return {
    interfaces: merge(instance.tracking.interfaces, group.tracking.interfaces),
    scripts: merge(instance.tracking.scripts, group.tracking.scripts),
    files: merge(instance.tracking.files, group.tracking.files),
    processes: merge(instance.tracking.processes, group.tracking.processes),
    ...(targets.length === 0 ? {} : { targets }),
  };
}

class Gathering implements TrackOutcome {
  readonly faults: string[] = [];
  readonly awaiting: string[] = [];
  readonly contributions: Contribution[] = [];

  /** A weight of 0 makes a fault of what is bad, any other a contribution (machine/priority.ts). */
  addVerdict({ reference, what, tracker, verdict }: Verdict): void {
    const { weight, isReversed } = reference;
    if (verdict === 'disabled') return;
    if (verdict === 'unknown') {
      if (weight === 0) this.awaiting.push(tracker);
      return;
    }
    const isGood = verdict === 'good';
    if (weight !== 0) {
      const value = trackerContribution(weight, isReversed, isGood);
      this.contributions.push({ tracker, value });
    } else if (isTrackerFault(weight, isReversed, isGood)) {
      this.faults.push(isReversed ? `${tracker} is good (reversed)` : what);
    }
  }

  /** The number in the file times the weight; weight 0: a number other than 0 is a fault. */
  addFile(reference: TrackReference, value: number): void {
    const tracker = `file ${reference.name}`;
    const what = `${tracker} says ${value}`;
    if (reference.weight === 0) {
      if ((value !== 0) !== reference.isReversed) this.faults.push(what);
      return;
    }
    const product = value * reference.weight * (reference.isReversed ? -1 : 1);
    if (product <= -254) this.faults.push(what);
    else this.contributions.push({ tracker, value: Math.min(253, product) });
  }
}
