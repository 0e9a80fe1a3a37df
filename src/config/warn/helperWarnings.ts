/**
 * conntrackd's `Helper` block. Helpers that the kernel has are assigned by the ruleset and need
 * nothing of a daemon; the others parse packets in conntrackd itself, and keepstate does not.
 */
import type { WarningInputs } from './warningInputs.js';

/** Modules nf_conntrack_NAME of Linux; `rpc` and the like are conntrackd's own. */
const kernelHelpers: ReadonlySet<string> = new Set([
  ...['ftp', 'sip', 'tftp', 'h323', 'pptp', 'amanda', 'irc', 'sane', 'snmp'],
  ...['netbios', 'netbios_ns', 'RAS', 'Q.931'],
]);

export function warnAboutHelpers({ root, problems }: WarningInputs): void {
  for (const { value } of root.Helper) {
    for (const { value: type, at } of value.values.Type) {
      const [name = '', ...protocol] = type.header;
      if (kernelHelpers.has(name)) {
        const message = `'Type ${name}' needs nothing here: the kernel has this helper, and the ruleset assigns it`;
        problems.warning(at, 'no-effect', message);
        continue;
      }
      const message = `the helper '${name} ${protocol.join(' ')}' is not done: conntrackd's helpers in user space are not part of keepstate`;
      problems.warning(at, 'user-space-helper', message, {
        expected:
          'a conntrackd of its own for it, rules that allow its connections, or accept_warning user-space-helper',
        loses: `the helper ${name}: connections that it would expect are not related any more`,
      });
    }
  }
}
