/** Keys in a configuration: where they may stand, what they must be, and that nobody shows them. */
import { inspect } from 'node:util';
import { formatProblem } from '../../src/config/problem.js';
import { printNode } from '../../src/config/printNode.js';
import type { KeyFiles } from '../../src/config/loadPorts.js';
import { instanceText, load, machineWith, placesOf } from './loading.js';

const digits = '00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef';
const inline = (lines: string): string => instanceText(`auth_hmac {\n${lines}\n}`);
const whole = `key 1 hex:${digits}\nkey 2 file:/etc/keys/two\nactive_key 2`;

const files = (texts: Readonly<Record<string, string>>, reason?: string): KeyFiles => ({
  read: (path) => {
    const text = texts[path];
    return text === undefined ? { kind: 'missing' } : { kind: 'text', text };
  },
  whyNotSecret: () => reason,
});
const good = { '/etc/keys/two': `hex:${digits.toUpperCase()}\n` };
const on = (keyFiles: KeyFiles): { machine: ReturnType<typeof machineWith> } => ({
  machine: machineWith({ keyFiles }),
});
const codes = (text: string, keyFiles = files(good)): string[] =>
  load(text, on(keyFiles)).problems.map(({ code }) => code);

test('a block with two keys becomes settings, with the defaults of keepalived 2.4', () => {
  const { settings, problems } = load(inline(whole), on(files(good)));
  expect(problems).toEqual([]);
  const hmac = settings?.vrrp.instances[0]?.hmac;
  expect(hmac).toMatchObject({ activeKeyId: 2, antiReplay: 'time', mode: 'enforce' });
  expect(hmac?.timeWindow).toBe(5_000_000);
  expect(hmac?.keys.map(({ id, secret }) => [id, secret.length])).toEqual([
    [1, 32],
    [2, 32],
  ]);
  const [one, two] = hmac?.keys ?? [];
  expect(one?.secret.fingerprint).toBe(two?.secret.fingerprint);
});

test('the window is three intervals where these are longer than 5 s', () => {
  const text = inline(whole).replace('auth_hmac', 'advert_int 10\nauth_hmac');
  const { settings } = load(text, on(files(good)));
  expect(settings?.vrrp.instances[0]?.hmac?.timeWindow).toBe(30_000_000);
});

test.each<[string, string, string]>([
  ['an undefined active key', `key 1 hex:${digits}\nactive_key 3`, 'undefined-key'],
  ['no active key', `key 1 hex:${digits}`, 'undefined-key'],
  ['an empty block', '', 'undefined-key'],
  ['a number twice', `key 1 hex:${digits}\nkey 1 hex:${digits}\nactive_key 1`, 'key-twice'],
  ['a short key', 'key 1 hex:0011223344\nactive_key 1', 'bad-key'],
  ['a long key', `key 1 hex:${digits}${digits}00\nactive_key 1`, 'bad-key'],
  ['an odd digit', `key 1 hex:${digits}0\nactive_key 1`, 'bad-key'],
  ['a short text', 'key 1 password\nactive_key 1', 'bad-key'],
  ['a fingerprint', 'key 1 fingerprint:0123456789abcdef\nactive_key 1', 'bad-key'],
  ['a phrase without quotes', 'key 1 correct horse battery\nactive_key 1', 'bad-key'],
  ['key 0', `key 0 hex:${digits}\nactive_key 1`, 'bad-value'],
  ['a file that is missing', 'key 1 file:/etc/keys/no\nactive_key 1', 'key-file'],
  ['a relative path', 'key 1 file:keys/no\nactive_key 1', 'bad-value'],
  ['a window of 0', `${whole}\ntime_window 0`, 'bad-value'],
  ['another mode', `${whole}\nmode permisive`, 'bad-value'],
])('%s is refused', (_name, lines, code) => {
  expect(codes(inline(lines))).toEqual([code]);
});

test('a text of 32 characters is a key too', () => {
  const text = inline(`key 1 "${'correct horse battery staple '.repeat(2)}"\nactive_key 1`);
  expect(codes(text)).toEqual([]);
});

test('a key file that others can read is refused, with the way to a good one', () => {
  const bad: KeyFiles = {
    read: () => ({ kind: 'unreadable', reason: 'its mode is 0644: others can use it' }),
    whyNotSecret: () => undefined,
  };
  const [problem] = load(inline('key 1 file:/k\nactive_key 1'), on(bad)).problems;
  expect(problem?.severity).toBe('error');
  expect(problem?.message).toBe('key file /k: its mode is 0644: others can use it');
});

test('a configuration with a key in it is refused where others can read it', () => {
  const open = files(good, 'its mode is 0644: others can use it');
  expect(codes(inline(`key 1 hex:${digits}\nactive_key 1`), open)).toEqual(['key-file']);
  expect(codes(inline('key 2 file:/etc/keys/two\nactive_key 2'), open)).toEqual([]);
});

test('checked for another machine, key files are not looked at', () => {
  expect(load(inline('key 1 file:/nowhere\nactive_key 1')).problems).toEqual([]);
});

test('auth_hmac and a password exclude each other; strict mode demands enforce', () => {
  const both = inline(whole).replace(
    'auth_hmac',
    'authentication {\nauth_type PASS\nauth_pass x\n}\nauth_hmac',
  );
  expect(codes(both)).toContain('two-authentications');
  const strict = inline(`${whole}\nmode permissive`).replace('auth_hmac', 'strict_mode\nauth_hmac');
  expect(codes(strict)).toContain('strict-mode');
});

test('time without a time service is a warning; monotonic is not', () => {
  const unkept = { machine: machineWith({ keyFiles: files(good), hasTimeService: () => false }) };
  const found = (lines: string): string[] =>
    load(inline(lines), unkept).problems.map(({ code }) => code);
  expect(found(whole)).toEqual(['no-time-service']);
  expect(found(`${whole}\nanti_replay monotonic`)).toEqual([]);
});

test('no problem, no printed form and no dump of the settings holds a byte of a key', () => {
  const wrong = [
    `key 1 hex:${digits}0`,
    `key 1 hex:${digits}\nkey 1 hex:${digits}`,
    `key 999 hex:${digits}`,
    `key hex:${digits}`,
    `key 1 hex:${digits} hex:${digits}`,
    `kee 1 hex:${digits}`,
    `key 1 hex:${digits}\nactive_key hex:${digits}`,
  ];
  const shown = [whole, ...wrong].flatMap((lines) => {
    const loaded = load(inline(lines), on(files(good, 'open')));
    return [
      ...loaded.problems.map(formatProblem),
      loaded.values === undefined ? '' : printNode(loaded.values),
      JSON.stringify(loaded.settings),
      inspect(loaded.settings, { depth: 20, showHidden: true }),
    ];
  });
  expect(shown.join('\n')).toContain('fingerprint');
  expect(shown.join('\n').toLowerCase()).not.toContain(digits.slice(0, 16));
});

const udp = `Sync {
  Mode FTFW { }
  UDP {
    IPv4_address 10.0.0.1
    IPv4_Destination_Address 10.0.0.2
    Port 3780
    Interface eth1
  }
}`;
const globals = (lines: string): string => instanceText('', `global_defs {\n${lines}\n}\n${udp}`);

test('sync_key becomes the seal of the sync settings, by fingerprints', () => {
  const { settings } = load(
    globals(`sync_key 1 hex:${digits}\nsync_key 2 file:/etc/keys/two\nsync_active_key 2`),
    on(files(good)),
  );
  const fingerprint = settings?.syncKeys?.[0]?.secret.fingerprint;
  expect(settings?.sync?.seal).toEqual({
    activeKeyId: 2,
    keys: [
      { id: 1, fingerprint },
      { id: 2, fingerprint },
    ],
    auth: 'enforce',
    encrypts: true,
    isMultihop: false,
  });
  expect(JSON.stringify(settings)).not.toContain(digits.slice(0, 16));
});

test.each<[string, string, string]>([
  ['no active key', `sync_key 1 hex:${digits}`, 'undefined-key'],
  ['an undefined one', `sync_key 1 hex:${digits}\nsync_active_key 2`, 'undefined-key'],
  ['sync_auth without a key', 'sync_auth permissive', 'undefined-key'],
  ['peer_multihop without a key', 'peer_multihop on', 'undefined-key'],
  ['a phrase', 'sync_key 1 "correct horse battery staple and more"\nsync_active_key 1', 'bad-key'],
  ['15 bytes', `sync_key 1 hex:${digits.slice(0, 30)}\nsync_active_key 1`, 'bad-key'],
  ['equal bytes', `sync_key 1 hex:${'00'.repeat(32)}\nsync_active_key 1`, 'bad-key'],
])('%s is refused', (_name, lines, code) => {
  expect(codes(globals(lines))).toContain(code);
});

test('peer_multihop needs a key, and off needs none', () => {
  const keyed = `sync_key 1 hex:${digits}\nsync_active_key 1\npeer_multihop on`;
  expect(load(globals(keyed), on(files(good))).settings?.sync?.seal?.isMultihop).toBe(true);
  expect(codes(globals('peer_multihop off'))).not.toContain('undefined-key');
});

describe('no key', () => {
  const isWarned = (prefix: number | undefined, lines = 'router_id a'): boolean => {
    const machine = machineWith({ networkPrefix: () => prefix });
    return placesOf(load(globals(lines), { machine })).includes('warning no-key 12:1');
  };

  test('is a warning where others can be in the network of the link', () => {
    expect([24, 29, 30, 31, undefined].map((prefix) => isWarned(prefix))).toEqual([
      ...[true, true, false, false, false],
    ]);
  });

  test('with a key it is none, and it can be accepted', () => {
    const lines = `sync_key 1 hex:${digits}`;
    expect(isWarned(24, `${lines}\nsync_active_key 1\nrouter_id a`)).toBe(false);
    expect(isWarned(24, 'accept_warning no-key "a cable"')).toBe(false);
  });
});
