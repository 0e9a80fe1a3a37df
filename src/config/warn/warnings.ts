/** What runs, but bites: checks over the whole configuration, after everything was read. */
import { warnAboutAdverts } from './advertWarnings.js';
import { warnAboutHelpers } from './helperWarnings.js';
import { warnAboutMachine } from './machineWarnings.js';
import { warnAboutStats } from './statsWarnings.js';
import { warnAboutSync } from './syncWarnings.js';
import { warnAboutTargets } from './targetWarnings.js';
import { warnAboutTracking } from './trackingWarnings.js';
import type { WarningInputs } from './warningInputs.js';

export function warnAbout(inputs: WarningInputs): void {
  warnAboutSync(inputs);
  warnAboutHelpers(inputs);
  warnAboutStats(inputs);
  warnAboutTracking(inputs);
  warnAboutTargets(inputs);
  warnAboutAdverts(inputs);
  warnAboutMachine(inputs);
}
