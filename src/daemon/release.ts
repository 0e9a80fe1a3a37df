/** `keepstate release`: the virtual addresses of a configuration leave the interfaces. For ExecStopPost. */
import { existsSync } from 'node:fs';
import { formatIp } from '../base/ipAddress.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { milliseconds } from '../base/time.js';
import { loadNode } from '../config/loadNode.js';
import { formatProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { ask } from '../control/client.js';
import { RtnetlinkControl } from '../net/rtnetlinkControl.js';

/** Exit codes: 0 nothing is left, 1 refused by the kernel or a daemon runs, 2 the file cannot be read. */
export async function releaseAddresses(
  config: string,
  write: (text: string) => void,
): Promise<number> {
  const { settings, problems, readable } = loadNode(config, systemLoadPorts());
  if (settings === undefined) {
    for (const problem of problems) write(formatProblem(problem));
    return readable ? 1 : 2;
  }
  const path = settings.keepstate.controlPath;
  if (existsSync(path)) {
    const timers = new SystemTimers(systemClock);
    const outcome = await ask({ path, timers, timeout: milliseconds(500) }, { verb: 'ping' });
    if (outcome.kind === 'answer') {
      write(`a keepstate runs with this configuration (${path}): nothing was removed`);
      return 1;
    }
  }
  const control = RtnetlinkControl.open();
  let failures = 0;
  try {
    for (const instance of settings.vrrp.instances) {
      for (const { spec } of [...instance.virtualAddresses, ...instance.excludedAddresses]) {
        const outcome = await control.deleteAddress(spec);
        const text = `${formatIp(spec.address)}/${spec.prefixLength} on ${spec.interfaceName}`;
        if (outcome.kind === 'done') write(`removed ${text}`);
        if (outcome.kind === 'refused') {
          failures++;
          write(`cannot remove ${text}: ${outcome.message}`);
        }
      }
    }
  } finally {
    control.close();
  }
  return failures === 0 ? 0 : 1;
}
