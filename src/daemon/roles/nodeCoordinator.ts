/**
 * The coordinator of a node's bound unit: what it can do to the unit and the worker, and who is
 * told of its work.
 */
import type { Logger } from '../../base/logger.js';
import { toMilliseconds, type Clock, type Timers } from '../../base/time.js';
import type { CoordinatorSettings } from '../../coordinator/vocabulary.js';
import { CoordinatorRunner, type CoordinatorPorts } from '../../coordinator/runner.js';
import type { MergeSummary, SyncCommand } from '../../sync/messages.js';
import type { RoleMemory } from '../disk/roleMemory.js';
import type { Afterwards } from './roleObserver.js';
import type { RoleRecorder } from './roleRecorder.js';

export interface NodeCoordinatorParts {
  readonly ports: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly logger: Logger;
    readonly record?: (line: object) => void;
  };
  readonly unitControl: CoordinatorPorts['unitControl'];
  readonly post: (command: SyncCommand) => void;
  readonly recorder: RoleRecorder;
  readonly afterwards: Pick<Afterwards, 'add'>;
  readonly memory: RoleMemory;
  readonly settings: CoordinatorSettings;
}

export function makeCoordinator(unit: string, parts: NodeCoordinatorParts): CoordinatorRunner {
  const { ports, unitControl, post, recorder, afterwards, memory, settings } = parts;
  const coordinatorPorts: CoordinatorPorts = {
    ...ports,
    unit,
    unitControl,
    post,
    takeoverDone: (...args) => {
      afterwards.add(() => recorder.takeoverDone(...args));
      ports.logger.log('notice', 'takeover complete', {
        unit,
        flows: args[0].entries,
        failed: args[0].failed,
        commitMs: args[0].durationMs,
        takeoverMs: toMilliseconds(args[1]),
      });
    },
    maintenanceChanged: (on) => memory.setMaintenance(on),
    split: (because) => afterwards.add(() => recorder.split(unit, because)),
    merged: (summary: MergeSummary) => afterwards.add(() => recorder.merged(unit, summary)),
  };
  return new CoordinatorRunner(coordinatorPorts, settings, memory.maintenance);
}
