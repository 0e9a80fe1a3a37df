/** What runs, but bites: checks over the whole configuration, after everything was read. */
import type { GlobalValues } from '../build/globals.js';
import type { MachineUse } from '../build/context.js';
import type { RootValues } from '../keywords/rootRows.js';
import type { NodeSettings } from '../nodeSettings.js';
import type { LoadPorts } from '../ports.js';
import type { ProblemList } from '../problem.js';
import { warnAboutAdverts } from './adverts.js';
import { warnAboutMachine } from './machine.js';
import { warnAboutSync } from './sync.js';
import { warnAboutTracking } from './tracking.js';

export interface WarningInputs {
  readonly root: RootValues;
  readonly globals: GlobalValues;
  readonly settings: NodeSettings;
  readonly uses: readonly MachineUse[];
  readonly ports: LoadPorts;
  readonly problems: ProblemList;
}

export function warnAbout(inputs: WarningInputs): void {
  warnAboutSync(inputs);
  warnAboutTracking(inputs);
  warnAboutAdverts(inputs);
  warnAboutMachine(inputs);
}
