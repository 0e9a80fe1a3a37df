/** What a node is constructed on, and what it is told of itself. */
import type { Logger } from '../base/logger.js';
import type { Clock, RandomSource, Timers } from '../base/time.js';
import type { StatusAnswer } from '../control/statusAnswer.js';
import type { NetworkWatch, ProberFactory } from '../net/ports.js';
import type { RouterOptions } from '../vrrp/routerPorts.js';
import type { VrrpRouter } from '../vrrp/router.js';
import type { VrrpSettings } from '../vrrp/settings.js';
import type { Disk } from './disk/disk.js';
import type { MachineWatch } from './host/machineWatch.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import type { ProblemRecord } from './problemTable/record.js';
import type { Finding } from './problemTable/table.js';
import type { ServiceManager } from './host/serviceManager.js';
import type { StartWorker } from './worker/workerSupervisor.js';

/** The real things that a node stands on. */
export interface NodePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly network: NetworkWatch;
  readonly service: ServiceManager;
  /** Where role, problems and history outlive the process. */
  readonly disk: Disk;
  readonly watchMachine: (settings: () => NodeSettings) => MachineWatch;
  readonly startWorker: StartWorker;
  readonly makeRouter: (settings: VrrpSettings, options: RouterOptions) => VrrpRouter;
  /** What asks tracked targets; absent: nothing is asked, and no target counts. */
  readonly reach?: { readonly probers: ProberFactory; readonly random: RandomSource };
  /** conntrackd's client said `-k`. */
  readonly onStopRequested: () => void;
  /** `run --record`: a line of one of the machines. */
  readonly record?: (line: object) => void;
  /** What others watch: the configuration file. */
  readonly furtherProblems?: () => readonly Finding[];
  /** Hears what became of each problem, after each look. */
  readonly problemsNoted?: (records: readonly ProblemRecord[]) => void;
  /** Where alarms go; absent: nobody is told. */
  readonly alertsShown?: () => Pick<StatusAnswer, 'alerts'>;
}

export interface NodeOptions {
  readonly configFile: string;
  readonly controlPath: string;
  readonly version: string;
  readonly pid: number;
}
