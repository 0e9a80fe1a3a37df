import { Secret } from '../../../src/base/secret.js';
import { seconds } from '../../../src/base/time.js';
import { keysCommand, unshownKey } from '../../../src/daemon/worker/sealKeys.js';
import { instanceText, load, machineWith } from '../../config/loading.js';

const digits = '00112233445566778899aabbccddeeff';
const globals = (lines: string): string => instanceText('', `global_defs {\n${lines}\n}`);
const settingsOf = (lines: string): NonNullable<ReturnType<typeof load>['settings']> => {
  const { settings } = load(globals(lines), { machine: machineWith() });
  if (settings === undefined) throw new Error('the configuration has errors');
  return settings;
};
const keyed = settingsOf(`sync_key 3 hex:${digits}\nsync_active_key 3`);
const { fingerprint } = new Secret(Uint8Array.from(Buffer.from(digits, 'hex')));

test('without sync_key there is nothing to tell', () => {
  expect(keysCommand(settingsOf('router_id x'), [])).toBeUndefined();
});

test('keys go to the worker with whether the peer has shown one of them', () => {
  const bytes = Uint8Array.from(Buffer.from(digits, 'hex'));
  expect(keysCommand(keyed, [])).toEqual({
    kind: 'keys',
    keys: [{ id: 3, bytes }],
    isPeerSealed: false,
  });
  expect(keysCommand(keyed, ['other', fingerprint])).toMatchObject({ isPeerSealed: true });
});

describe('what a reload says of keys that the peer has not shown', () => {
  const udp = `Sync {
  Mode FTFW { }
  UDP {
    IPv4_address 10.0.0.1
    IPv4_Destination_Address 10.0.0.2
    Port 3780
    Interface eth1
  }
}`;
  const other = '89abcdef0123456776543210fedcba98';
  const withKeys = (active: number, auth: string): ReturnType<typeof settingsOf> =>
    settingsOf(
      `sync_key 3 hex:${digits}\nsync_key 4 hex:${other}\nsync_active_key ${active}\nsync_auth ${auth}\n}\n${udp}\nglobal_defs {`,
    );
  const seal = withKeys(3, 'enforce').sync?.seal;
  if (seal === undefined) throw new Error('it has no seal');
  const status = { ...seal, isPeerSealed: true, heard: { 3: seconds(1) }, refused: {} };

  test('nothing where there is none, or where it has shown it', () => {
    expect(unshownKey(settingsOf('router_id x'), [], undefined)).toBeUndefined();
    expect(unshownKey(withKeys(3, 'enforce'), [fingerprint], status)).toBeUndefined();
  });

  test('the first key: nothing is taken under enforce, everything is plain under permissive', () => {
    expect(unshownKey(withKeys(3, 'enforce'), [], undefined)).toContain('nothing of it is taken');
    expect(unshownKey(withKeys(3, 'permissive'), [], undefined)).toContain('stays plain');
  });

  test('a rotation: the peer was not heard under the key that seals from now on', () => {
    const said = unshownKey(withKeys(4, 'enforce'), [fingerprint], status);
    expect(said).toContain('not heard under key 4 (');
    const heard = { ...status, heard: { ...status.heard, 4: seconds(2) } };
    expect(unshownKey(withKeys(4, 'enforce'), [fingerprint], heard)).toBeUndefined();
  });
});
