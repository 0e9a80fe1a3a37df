/** What a node is constructed on, and what it is told of itself. */
import type { Logger } from '../base/logger.js';
import type { Clock, Timers } from '../base/time.js';
import type { NetworkWatch } from '../net/ports.js';
import type { RouterOptions } from '../vrrp/routerPorts.js';
import type { VrrpRouter } from '../vrrp/router.js';
import type { VrrpSettings } from '../vrrp/settings.js';
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
  readonly startWorker: StartWorker;
  readonly makeRouter: (settings: VrrpSettings, options: RouterOptions) => VrrpRouter;
  /** conntrackd's client said `-k`. */
  readonly onStopRequested: () => void;
  /** `run --record`: a line of one of the machines. */
  readonly record?: (line: object) => void;
  /** What others watch: the configuration file. */
  readonly furtherProblems?: () => readonly Finding[];
}

export interface NodeOptions {
  readonly configFile: string;
  readonly controlPath: string;
  readonly version: string;
  readonly pid: number;
}
