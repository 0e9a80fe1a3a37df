/** What each check is given: everything that was read. */
import type { GlobalValues } from '../build/globals.js';
import type { MachineUse } from '../build/context.js';
import type { RootValues } from '../keywords/rootRows.js';
import type { NodeSettings } from '../nodeSettings.js';
import type { LoadPorts } from '../loadPorts.js';
import type { ProblemList } from '../problem.js';

export interface WarningInputs {
  readonly root: RootValues;
  readonly globals: GlobalValues;
  readonly settings: NodeSettings;
  readonly uses: readonly MachineUse[];
  readonly ports: LoadPorts;
  readonly problems: ProblemList;
}
