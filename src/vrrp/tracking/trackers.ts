/**
 * All trackers of a node together: started, kept over a reload, and their latest results in one
 * place.
 */
import type { Logger } from '../../base/logger.js';
import type { Timers } from '../../base/time.js';
import type { NetworkWatch } from '../../net/ports.js';
import type { ProcessSpawner } from '../scripts/process.js';
import type { InstanceSettings, TrackReference, VrrpSettings } from '../settings.js';
import { groupOf } from '../machine/units.js';
import { FileTracker, type WatchedFiles } from './fileTracker.js';
import { InterfaceTracker } from './interfaceTracker.js';
import {
  mergeTracking,
  type Observations,
  type TargetObservation,
  type TrackVerdict,
} from './observations.js';
import { ProcessTracker, type ProcessTable } from './processTracker.js';
import { ScriptTracker } from './scriptTracker.js';

export interface TrackerPorts {
  readonly network: NetworkWatch;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly spawner: ProcessSpawner;
  readonly files: WatchedFiles;
  readonly processTable: ProcessTable;
}

/** For status: the script's name, its verdict and how its last run ended. */
export interface ScriptReport {
  readonly name: string;
  readonly verdict: TrackVerdict;
  readonly lastEnd: string;
  readonly isRunning: boolean;
}

export class Trackers {
  readonly #ports: TrackerPorts;
  readonly #onChange: () => void;
  readonly #interfaces: InterfaceTracker;
  readonly #scripts = new Map<string, { readonly text: string; readonly tracker: ScriptTracker }>();
  readonly #files = new Map<string, { readonly text: string; readonly tracker: FileTracker }>();
  #processes: ProcessTracker | undefined;
  #processesText = '';
  readonly #scriptVerdicts = new Map<string, TrackVerdict>();
  readonly #fileValues = new Map<string, number>();
  readonly #processVerdicts = new Map<string, TrackVerdict>();
  #targets: ReadonlyMap<string, TargetObservation> = new Map();

  constructor(ports: TrackerPorts, onChange: () => void) {
    this.#ports = ports;
    this.#onChange = onChange;
    this.#interfaces = new InterfaceTracker(ports, [], (name, verdict) => {
      const isUp = verdict === 'good';
      ports.logger.log(isUp ? 'notice' : 'warning', isUp ? 'interface up' : 'interface down', {
        interface: name,
      });
      onChange();
    });
  }

  get observations(): Observations {
    return {
      interfaces: this.#interfaces.verdicts,
      scripts: this.#scriptVerdicts,
      files: this.#fileValues,
      processes: this.#processVerdicts,
      targets: this.#targets,
    };
  }

  get scriptReports(): readonly ScriptReport[] {
    return [...this.#scripts].map(([name, { tracker }]) => ({
      name,
      verdict: tracker.verdict,
      lastEnd: tracker.lastEnd,
      isRunning: tracker.isRunning,
    }));
  }

  /** Starts what `settings` uses; trackers that are the same as before go on undisturbed. */
  apply(settings: VrrpSettings): void {
    const used = usedTrackers(settings);
    this.#interfaces.follow(used.interfaces, settings.interfaceDelays);
    this.#applyScripts(settings, used.scripts);
    this.#applyFiles(settings, used.files);
    this.#applyProcesses(settings, used.processes);
  }

  /** What src/vrrp/reach knows of the targets from now on. */
  targetsAre(targets: ReadonlyMap<string, TargetObservation>): void {
    this.#targets = targets;
    this.#onChange();
  }

  linkChanged(name: string): void {
    this.#interfaces.linkChanged(name);
  }

  close(): void {
    this.#interfaces.close();
    for (const { tracker } of this.#scripts.values()) tracker.close();
    for (const { tracker } of this.#files.values()) tracker.close();
    this.#processes?.close();
  }

  #applyScripts(settings: VrrpSettings, used: ReadonlySet<string>): void {
    const earlier = new Map(this.#scriptVerdicts);
    this.#closeUnlessSame(this.#scripts, settings.scripts, used);
    for (const name of earlier.keys())
      if (!this.#scripts.has(name)) this.#scriptVerdicts.delete(name);
    for (const script of settings.scripts) {
      if (!used.has(script.name)) {
        this.#ports.logger.log('warning', 'track script is not used', { script: script.name });
      } else if (!this.#scripts.has(script.name)) {
        const onVerdict = (verdict: TrackVerdict): void => {
          this.#scriptVerdicts.set(script.name, verdict);
          this.#onChange();
        };
        const tracker = new ScriptTracker(this.#ports, script, onVerdict, earlier.get(script.name));
        this.#scripts.set(script.name, { text: JSON.stringify(script), tracker });
        tracker.start();
      }
    }
  }

  #applyFiles(settings: VrrpSettings, used: ReadonlySet<string>): void {
    this.#closeUnlessSame(this.#files, settings.files, used);
    for (const name of this.#fileValues.keys()) {
      if (!this.#files.has(name)) this.#fileValues.delete(name);
    }
    for (const file of settings.files) {
      if (!used.has(file.name) || this.#files.has(file.name)) continue;
      const tracker = new FileTracker(this.#ports, file, (value) => {
        this.#fileValues.set(file.name, value);
        this.#onChange();
      });
      this.#files.set(file.name, { text: JSON.stringify(file), tracker });
      tracker.start();
    }
  }

  #applyProcesses(settings: VrrpSettings, used: ReadonlySet<string>): void {
    const watched = settings.processes.filter((process) => used.has(process.name));
    const text = JSON.stringify(watched);
    if (text === this.#processesText) return;
    this.#processesText = text;
    this.#processes?.close();
    this.#processVerdicts.clear();
    const ports = { table: this.#ports.processTable, timers: this.#ports.timers };
    this.#processes = new ProcessTracker(ports, watched, (name, verdict) => {
      this.#processVerdicts.set(name, verdict);
      this.#ports.logger.log('notice', 'tracked process', { process: name, verdict });
      this.#onChange();
    });
    this.#processes.start();
  }

  #closeUnlessSame(
    running: Map<string, { readonly text: string; readonly tracker: { close(): void } }>,
    wanted: readonly { readonly name: string }[],
    used: ReadonlySet<string>,
  ): void {
    for (const [name, { text, tracker }] of running) {
      const now = wanted.find((one) => one.name === name);
      if (now !== undefined && used.has(name) && JSON.stringify(now) === text) continue;
      tracker.close();
      running.delete(name);
    }
  }
}

/**
 * Interfaces an instance stands or falls with: its own, those of its VIPs, and of tracked routes
 * and rules.
 */
export function interfacesOf(instance: InstanceSettings): ReadonlySet<string> {
  const names = new Set<string>();
  const addresses = [...instance.virtualAddresses, ...instance.excludedAddresses];
  for (const { spec } of addresses) names.add(spec.interfaceName);
  for (const { spec, isTracked } of instance.virtualRoutes) {
    if (isTracked && spec.interfaceName !== undefined) names.add(spec.interfaceName);
  }
  for (const { spec, isTracked } of instance.virtualRules) {
    if (!isTracked) continue;
    if (spec.inputInterface !== undefined) names.add(spec.inputInterface);
    if (spec.outputInterface !== undefined) names.add(spec.outputInterface);
  }
  names.delete(instance.interfaceName);
  if (instance.trackPrimary) names.add(instance.interfaceName);
  return names;
}

function usedTrackers(
  settings: VrrpSettings,
): Record<'interfaces' | 'scripts' | 'files' | 'processes', Set<string>> {
  const used = {
    interfaces: new Set<string>(),
    scripts: new Set<string>(),
    files: new Set<string>(),
    processes: new Set<string>(),
  };
  const addAll = (target: Set<string>, references: readonly TrackReference[]): void => {
    for (const { name } of references) target.add(name);
  };
  for (const instance of settings.instances) {
    const tracking = mergeTracking(instance, groupOf(settings, instance.name));
    for (const name of interfacesOf(instance)) used.interfaces.add(name);
    addAll(used.interfaces, tracking.interfaces);
    addAll(used.scripts, tracking.scripts);
    addAll(used.files, tracking.files);
    addAll(used.processes, tracking.processes);
  }
  return used;
}
