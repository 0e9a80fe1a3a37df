/**
 * All targets of a node: which of them count against it, what the peer is told of them, and what
 * `status` shows. Decides nothing of a role; the loss of a target is a condition of the instances
 * that track it.
 */
import { microseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { InstanceSettings, TrackReference, VrrpSettings } from '../settings.js';
import { groupOf } from '../machine/units.js';
import { mergeTracking, type TargetObservation } from '../tracking/observations.js';
import type { Comparison, PeerStanding } from './comparison.js';
import { standingText } from './standings.js';
import { TrackedTarget, type TrackedTargetPorts } from './trackedTarget.js';
import type { TargetWord } from './reachWords.js';

/** A peer that says something each second is silent after that. */
const silenceAfter = seconds(3);
/** More time than this between two looks is a standstill of this process: words wait to be read. */
const longestLook = seconds(1);
const usualHold = seconds(30);
/** Names of which a peer is told that this node does not track them; it may say many. */
const mostUnknown = 64;

export type PeerPresence =
  /** There was never a keepstate peer. */
  | { readonly kind: 'none' }
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'present';
      readonly canServe: boolean;
      /** An older keepstate compares no targets. */
      readonly comparesTargets: boolean;
    };

export interface ReachPorts extends Omit<TrackedTargetPorts, 'decided'> {
  /** Conditions of the instances, and words for the peer, are to be looked at. */
  readonly changed: () => void;
  /**
   * A MASTER shall hand over before the loss is a fault. `done` is called when it has, cannot or
   * took too long; false: there is nothing to wait for.
   */
  readonly handOver: (target: string, because: string, done: () => void) => boolean;
  /** The loss no longer counts although the target is lost: the role must not be preempted. */
  readonly released: (target: string, because: string) => void;
  /** The target is reached again: what was held for it is free. */
  readonly recovered: (target: string) => void;
}

interface Entry {
  readonly text: string;
  readonly target: TrackedTarget;
  /** What the peer was told, or is to be told now. */
  news: string;
}

export class Reach {
  readonly #ports: ReachPorts;
  readonly #entries = new Map<string, Entry>();
  /** Whose hand-over is on its way. */
  readonly #yielding = new Set<string>();
  /** Names that the peer asked of and this node does not track, with the question. */
  readonly #unknown = new Map<string, number>();
  #hold = usualHold;
  #presence: PeerPresence = { kind: 'none' };
  #isHeardOnce = false;
  #lookedAt: Microseconds | undefined;
  /** Time without a word of the peer, in which this process ran. */
  #silence = seconds(0);

  constructor(ports: ReachPorts) {
    this.#ports = ports;
  }

  /**
   * Targets that are the same as before go on undisturbed; those that nothing tracks are not asked.
   */
  apply(settings: VrrpSettings): void {
    this.#hold = settings.reachHold ?? usualHold;
    const tracked = trackedNames(settings);
    const wanted = (settings.targets ?? []).filter(({ name }) => tracked.has(name));
    for (const [name, { text, target }] of this.#entries) {
      const now = wanted.find((one) => one.name === name);
      if (now !== undefined && textOf(now) === text) continue;
      target.close();
      this.#entries.delete(name);
    }
    for (const target of wanted) {
      const { name } = target;
      if (this.#entries.has(name)) continue;
      const ports = { ...this.#ports, decided: () => this.#lookAt(name) };
      const entry = { text: textOf(target), target: new TrackedTarget(ports, target), news: '' };
      this.#entries.set(name, entry);
      this.#unknown.delete(name);
      entry.target.start();
    }
    this.#ports.changed();
  }

  /** By name: what the instances that track a target are told. */
  get observations(): ReadonlyMap<string, TargetObservation> {
    const found = new Map<string, TargetObservation>();
    for (const [name, { target }] of this.#entries) {
      const { comparison } = target;
      found.set(name, {
        verdict: this.#verdictOf(comparison),
        isYielding: this.#yielding.has(name),
        text: standingText(name, comparison.standing),
      });
    }
    return found;
  }

  get targets(): readonly TrackedTarget[] {
    return [...this.#entries.values()].map(({ target }) => target);
  }

  /** What is known of the peer beside its words. To be told several times a second. */
  tick(presence: PeerPresence): void {
    const now = this.#ports.clock.now();
    const passed = subtractTime(now, this.#lookedAt ?? now);
    this.#lookedAt = now;
    this.#silence = microseconds(this.#silence + Math.min(passed, longestLook));
    this.#presence = presence;
    this.#look();
  }

  /** What the peer tells of its targets. */
  peerSaid(words: readonly TargetWord[]): void {
    this.#isHeardOnce = true;
    this.#silence = seconds(0);
    for (const word of words) {
      const known = this.#entries.get(word.name);
      if (known !== undefined) known.target.hear(word);
      else this.#askedUnknown(word);
    }
    this.#look();
  }

  /** Whether the peer is to be told something: there are targets, or it has asked. */
  get hasWords(): boolean {
    return this.#entries.size > 0 || (this.#unknown.size > 0 && this.#isHeard());
  }

  words(): readonly TargetWord[] {
    const own = this.targets.map((target) => target.word());
    const unknown = [...this.#unknown].map(([name, question]): TargetWord => ({
      name,
      state: 'unknown',
      age: seconds(0),
      question: 0,
      answer: { question, says: 'untracked' },
      addresses: [],
    }));
    return [...own, ...unknown];
  }

  close(): void {
    for (const { target } of this.#entries.values()) target.close();
    this.#entries.clear();
  }

  #askedUnknown({ name, question }: TargetWord): void {
    if (this.#unknown.get(name) === question) return;
    if (question === 0) this.#unknown.delete(name);
    else if (this.#unknown.size < mostUnknown) this.#unknown.set(name, question);
    this.#ports.changed();
  }

  #isHeard(): boolean {
    return this.#isHeardOnce && this.#silence < silenceAfter;
  }

  #standingOf(target: TrackedTarget): PeerStanding {
    const presence = this.#presence;
    if (presence.kind !== 'present') return presence;
    const { canServe, comparesTargets } = presence;
    if (!comparesTargets) return { kind: 'present', canServe, answer: 'untracked' };
    if (this.#isHeardOnce && !this.#isHeard()) return { kind: 'silent' };
    return { kind: 'present', canServe, answer: target.peerAnswer };
  }

  #look(): void {
    for (const name of this.#entries.keys()) this.#lookAt(name);
  }

  #lookAt(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const { target } = entry;
    const before = target.comparison;
    const after = target.judge(this.#standingOf(target), this.#hold);
    if (after !== undefined) this.#judged(name, before, after);
    const { news } = target;
    if (after === undefined && news === entry.news) return;
    entry.news = news;
    this.#ports.changed();
  }

  #judged(name: string, before: Comparison, after: Comparison): void {
    const because = standingText(name, after.standing);
    this.#ports.logger.log('notice', 'tracked target', { target: name, reason: because });
    if (after.counts && !before.counts) {
      const done = (): void => {
        if (this.#yielding.delete(name)) this.#ports.changed();
      };
      this.#yielding.add(name);
      if (!this.#ports.handOver(name, because, done)) this.#yielding.delete(name);
    } else if (before.counts && !after.counts) {
      this.#yielding.delete(name);
      if (after.standing === 'reached') this.#ports.recovered(name);
      else this.#ports.released(name, because);
    } else if (after.standing === 'reached') this.#ports.recovered(name);
  }

  /**
   * Without an answer yet, a target holds a unit in INIT only where it counts as in keepalived:
   * beside a keepstate peer a target alone keeps no node from its role.
   */
  #verdictOf({ counts, standing }: Comparison): TargetObservation['verdict'] {
    if (counts) return 'bad';
    if (standing === 'unable') return 'disabled';
    if (standing !== 'unknown') return 'good';
    return this.#presence.kind === 'none' ? 'unknown' : 'disabled';
  }
}

function textOf(target: TrackedTarget['settings']): string {
  return JSON.stringify(target, (_key, value: unknown) =>
    value instanceof Uint8Array ? value.join('.') : value,
  );
}

/** What an instance tracks itself or by its group. */
export function targetsOf(
  settings: VrrpSettings,
  instance: InstanceSettings,
): readonly TrackReference[] {
  return mergeTracking(instance, groupOf(settings, instance.name)).targets ?? [];
}

function trackedNames(settings: VrrpSettings): ReadonlySet<string> {
  const references = settings.instances.flatMap((instance) => targetsOf(settings, instance));
  return new Set(references.map(({ name }) => name));
}
