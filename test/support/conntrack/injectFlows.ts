/**
 * The injector as a program of its own, so that it runs beside what is under test. Works in the network
 * namespace it is started in:
 *
 *   injectFlows COUNT [--rounds N] [--nat ADDRESS] [--udp] [--keep] [--batch N] [--timeout SECONDS] [--base N]
 *               [--burst N --pause MILLISECONDS]
 *
 * Each round creates COUNT flows and, unless --keep, deletes them; --burst rests after each N. Prints one
 * line of JSON.
 */
import { parseArgs } from 'node:util';
import { parseIp } from '../../../src/base/ipAddress.js';
import { ConntrackInjector, type InjectOptions } from './ctInjector.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '1' },
    nat: { type: 'string' },
    udp: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    batch: { type: 'string', default: '128' },
    timeout: { type: 'string', default: '600' },
    base: { type: 'string', default: '0' },
    burst: { type: 'string' },
    pause: { type: 'string', default: '1' },
  },
});

const sourceNat = values.nat === undefined ? undefined : parseIp(values.nat);
const options: InjectOptions = {
  count: Number(positionals[0]),
  base: Number(values.base),
  batch: Number(values.batch),
  timeoutSeconds: Number(values.timeout),
  protocol: values.udp ? 'udp' : 'tcp',
  ...(sourceNat === undefined ? {} : { sourceNat }),
};
const burst = Number(values.burst ?? options.count);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const injector = ConntrackInjector.open();
const start = performance.now();
const errors: Record<string, number> = {};
let events = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  const actions = values.keep ? (['create'] as const) : (['create', 'delete'] as const);
  for (const action of actions) {
    for (let done = 0; done < options.count; done += burst) {
      const count = Math.min(burst, options.count - done);
      const base = Number(values.base) + done;
      const injected = injector.inject({ ...options, action, count, base });
      events += injected.sent;
      for (const [name, refused] of Object.entries(injected.errors)) {
        errors[name] = (errors[name] ?? 0) + refused;
      }
      if (burst < options.count) Atomics.wait(sleeper, 0, 0, Number(values.pause));
    }
  }
}
const milliseconds = performance.now() - start;
injector.close();
process.stdout.write(`${JSON.stringify({ events, milliseconds, errors })}\n`);
