/** Which capabilities are left, by configuration and by what the process has. */
import { capabilityBits, readCapabilities } from '../../../src/base/capabilities.js';
import { neededCapabilities, planNarrowing } from '../../../src/daemon/host/leastPrivilege.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import { instanceText, load, machineWith } from '../../config/loading.js';

const all = (1n << 41n) - 1n;
const accounts = {
  passwd: 'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  group: 'root:x:0:\nadm:x:4:syslog,nobody\nnogroup:x:65534:\n',
};
const root = { uid: 0, accounts };
const full = { permitted: all, effective: all, bounding: all, ambient: 0n };

function settingsOf(lines: string, globals = '', more = ''): NodeSettings {
  const text = instanceText(lines, `global_defs {\n  ${globals}\n}\n${more}`);
  const { settings, problems } = load(text, { machine: machineWith() });
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return settings;
}

test('the sets of a thread are read as proc(5) shows them', () => {
  const status = 'Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000003000\nCapEff:\t1000\n';
  expect(readCapabilities(`${status}CapBnd:\t000001ffffffffff\nCapAmb:\t0\n`)).toEqual({
    permitted: 0x3000n,
    effective: 0x1000n,
    bounding: all,
    ambient: 0n,
  });
  expect(readCapabilities('')).toEqual({ permitted: 0n, effective: 0n, bounding: 0n, ambient: 0n });
  expect(capabilityBits(['CAP_NET_ADMIN', 'CAP_NET_RAW'])).toBe(0x3000n);
});

test('root without scripts of root leaves what it has no use for, and the bounding set with it', () => {
  const settings = settingsOf('');
  const capabilities = neededCapabilities(settings);
  expect(planNarrowing(settings, { ...root, sets: full })).toEqual({ capabilities });
  expect(capabilities & capabilityBits(['CAP_SYS_ADMIN', 'CAP_SETPCAP'])).toBe(0n);
  expect(capabilities & capabilityBits(['CAP_NET_ADMIN'])).not.toBe(0n);
});

test('under a service manager that has left as much already nothing happens', () => {
  const settings = settingsOf('');
  const sets = { ...full, bounding: capabilityBits(['CAP_NET_ADMIN', 'CAP_NET_RAW']) };
  expect(planNarrowing(settings, { ...root, sets })).toBeUndefined();
});

test.each(['root', 'toor', '0'])(
  'a script of %s keeps what the daemon was started with',
  (user) => {
    const settings = settingsOf(`notify_master "/opt/role.sh" ${user}`);
    expect(planNarrowing(settings, { ...root, sets: full })).toBeUndefined();
  },
);

test('a script with a user of its own does not', () => {
  const settings = settingsOf('notify_master "/opt/role.sh" nobody');
  const narrowing = planNarrowing(settings, { ...root, sets: full });
  const forScripts = capabilityBits(['CAP_SETUID', 'CAP_SETGID', 'CAP_KILL']);
  expect((narrowing?.capabilities ?? 0n) & forScripts).toBe(forScripts);
});

test('net_namespace needs CAP_SYS_ADMIN', () => {
  const wanted = neededCapabilities(settingsOf('', '', 'net_namespace blue'));
  expect(wanted & capabilityBits(['CAP_SYS_ADMIN'])).not.toBe(0n);
});

test('run_user: that user, its groups, and no way back to root', () => {
  const settings = settingsOf('', 'run_user nobody');
  const narrowing = planNarrowing(settings, { ...root, sets: full });
  expect(narrowing).toEqual({
    capabilities: neededCapabilities(settings),
    identity: { uid: 65_534, gid: 65_534, groups: [65_534, 4] },
  });
  const ways = capabilityBits(['CAP_SETUID', 'CAP_SETGID', 'CAP_DAC_OVERRIDE', 'CAP_CHOWN']);
  expect((narrowing?.capabilities ?? 0n) & ways).toBe(0n);
  const ghost = settingsOf('', 'run_user ghost');
  expect(() => planNarrowing(ghost, { ...root, sets: full })).toThrow('no user ghost');
});

test('another user than root leaves what it has too much of', () => {
  const settings = settingsOf('');
  const sets = { permitted: all, effective: all, bounding: all, ambient: all };
  const wanted = neededCapabilities(settings);
  expect(planNarrowing(settings, { uid: 5, accounts, sets })).toEqual({ capabilities: wanted });
  const few = { ...sets, permitted: 0x3000n, ambient: 0x3000n };
  expect(planNarrowing(settings, { uid: 5, accounts, sets: few })).toBeUndefined();
});
