/** Problems of the machine and of the process on it. */
import type { ProblemRows } from './row.js';

export const machineRows = {
  late: {
    severity: 'warning',
    begins: 'the loop that sends advertisements ran half a second late',
    ends: 'no such lateness within the last second',
    remedy:
      'the machine is overloaded or suspends this process: set vrrp_rt_priority or vrrp_priority',
  },
  masquerade: {
    severity: 'warning',
    begins:
      'the ruleset has MASQUERADE, which uses an address that does not move (seen each minute)',
    ends: 'the rule is gone',
    remedy: 'use "snat to" a virtual address instead; keepstate doctor lists each such rule',
  },
  'snat-stays': {
    severity: 'warning',
    begins: 'the ruleset has SNAT to an address that is not virtual (seen each minute)',
    ends: 'the rule is gone',
    remedy: 'use a virtual address; keepstate doctor lists each such rule',
  },
} as const satisfies ProblemRows;
