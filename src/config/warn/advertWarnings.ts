/** Intervals that only real time keeps. */
import { hasteRemedy, hasteText, hastyInstances } from '../machine/hastyAdverts.js';
import { nameOf } from '../build/trackers.js';
import type { WarningInputs } from './warningInputs.js';

export function warnAboutAdverts({ root, settings, problems }: WarningInputs): void {
  for (const instance of hastyInstances(settings)) {
    const block = root.vrrp_instance.find(({ value }) => nameOf(value) === instance.name);
    if (block === undefined) continue;
    problems.warning(block.at, 'fast-adverts', hasteText(instance), { expected: hasteRemedy });
  }
}
