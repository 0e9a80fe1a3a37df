/** The `Stats` block: conntrackd's log of ended connections, and what is ours in it. */
import { conntrackd, keepstate } from '../table/row.js';
import { onOff } from '../table/scalarTypes.js';
import { logTarget, syslogTarget } from './conntrackdTypes.js';

export const statsRows = {
  LogFile: conntrackd(logTarget, 'on: /var/log/conntrackd-stats.log', { default: 'off' }),
  Syslog: conntrackd(syslogTarget, 'on: daemon', { default: 'off' }),
  json: keepstate(onOff, 'one JSON object a line, with the names of `flows --json`', {
    default: 'off',
  }),
  since_takeover: keepstate(
    onOff,
    "conntrackd's line ends in since=takeover where its counters began at one; JSON says it always",
    { default: 'off' },
  ),
} as const;
