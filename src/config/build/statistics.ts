/** `Stats`, and what of `General` it goes by where there is no `Sync` (conntrackd 1.4.7). */
import type { StatisticsSettings } from '../../sync/settings.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last } from '../table/row.js';
import { optional, type BuildContext } from './context.js';
import { buildFilter } from './filter.js';
import { logPath, syslogFacility } from './general.js';
import { kernelSettings, one, type GeneralValues } from './sync.js';

export function buildStatistics(
  root: RootValues,
  general: GeneralValues | undefined,
  context: BuildContext,
): StatisticsSettings | undefined {
  const stats = last(root.Stats)?.value.values;
  if (stats === undefined) return undefined;
  const kernel =
    root.Sync.length > 0
      ? undefined
      : { ...kernelSettings(general), filter: buildFilter(general?.Filter ?? [], context) };
  return {
    ...optional('file', logPath(one(stats, 'LogFile'), '/var/log/conntrackd-stats.log')),
    ...optional('syslogFacility', syslogFacility(one(stats, 'Syslog'))),
    json: one(stats, 'json') ?? false,
    sinceTakeover: one(stats, 'since_takeover') ?? false,
    ...optional('kernel', kernel),
  };
}
