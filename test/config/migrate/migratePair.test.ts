/**
 * `migrate`: what people run today becomes one file that `check --strict` has nothing to say about.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCheck } from '../../../src/cli/checkCommand.js';
import { runMigrate } from '../../../src/cli/migrateCommand.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import type { SyncSettings } from '../../../src/sync/settings.js';
import type { KeyFiles } from '../../../src/config/loadPorts.js';
import {
  instanceText,
  load,
  loadFiles,
  machineWith,
  memoryFiles,
  placesOf,
  portsWith,
} from '../loading.js';

class Captured {
  text = '';
  errors = '';
  out(text: string): void {
    this.text += text;
  }
  error(text: string): void {
    this.errors += text;
  }
}

const fixture = (name: string): string =>
  readFileSync(join(__dirname, '../fixtures', `${name}.conf`), 'utf8');

/** Migrates the files of these names and texts, in their order; `others` can be included. */
function migrateFiles(
  named: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): { status: number; text: string; errors: string } {
  const output = new Captured();
  const files = memoryFiles({ ...named, ...others });
  const status = runMigrate(Object.keys(named), portsWith({ files }), output);
  return { status, text: output.text, errors: output.errors };
}

const migrated = (keepalived: string, conntrackd = '') =>
  migrateFiles({ '/k.conf': keepalived, '/c.conf': conntrackd });

function strictCheck(text: string): { status: number; out: string } {
  const output = new Captured();
  const ports = portsWith({ files: memoryFiles({ '/m.conf': text }) });
  const status = runCheck({ config: '/m.conf', strict: true, machine: false }, ports, output);
  return { status, out: output.text };
}

/** What differs by the place where a thing stands. */
function withoutPlaces(settings: NodeSettings): NodeSettings {
  const { binding } = settings;
  const because = binding.because.replace(/line \d+/, 'line N');
  return { ...settings, sources: [], binding: { ...binding, because } };
}

/** Settings of the originals, one behind the other, with the changes that migrate states. */
function stated(keepalived: string, conntrackd: string, added: readonly string[]): NodeSettings {
  const { settings } = load(`${fixture(keepalived)}\n${fixture(conntrackd)}`);
  const address = settings?.sync?.filter.address;
  if (settings?.sync === undefined || address === undefined) throw new Error('not loaded');
  const reference = load(
    `Sync { UDP { Port 1 IPv4_address 10.9.9.9 IPv4_Destination_Address 10.9.9.8 Interface x } }
     General { Filter { Address Ignore { ${added.map((one) => `IPv4_address ${one}\n`).join('')} } } }`,
  ).settings?.sync?.filter.address;
  const sync: { -readonly [K in keyof SyncSettings]: SyncSettings[K] } = { ...settings.sync };
  delete sync.pollSeconds;
  return {
    ...settings,
    vrrp: {
      ...settings.vrrp,
      instances: settings.vrrp.instances.map((one) => ({ ...one, nopreemptDisarmed: false })),
    },
    sync: {
      ...sync,
      filter: {
        ...sync.filter,
        address: { ...address, entries: [...(reference?.entries ?? []), ...address.entries] },
      },
    },
  };
}

const pairs = [
  ['unicast-fw1.keepalived', 'unicast-fw1.conntrackd', ['172.31.0.1', '172.31.0.2']],
  ['unicast-fw2.keepalived', 'unicast-fw2.conntrackd', ['172.31.0.2', '172.31.0.1']],
  ['multicast-master.keepalived', 'multicast.conntrackd', []],
  ['multicast-backup.keepalived', 'multicast.conntrackd', []],
  ['cloud-router.keepalived', 'cloud-router.conntrackd', ['10.30.1.1', '10.30.1.197']],
] as const;

describe.each(pairs)('%s with %s', (keepalived, conntrackd, added) => {
  const { status, text, errors } = migrated(fixture(keepalived), fixture(conntrackd));

  test('become one file that check --strict has nothing to say about', () => {
    expect(status).toBe(0);
    expect(errors).toContain('no problems left');
    const { status: strict, out } = strictCheck(text);
    expect(out).toMatch(
      /^\/m\.conf: no problems( \(\d warnings? accepted: (clear-text-password|no-sync-peer|, )+\))?\n$/,
    );
    expect(strict).toBe(0);
  });

  test('mean what the two files meant, but for the changes that are said', () => {
    const after = load(text).settings;
    if (after === undefined) throw new Error('not loaded');
    expect(withoutPlaces(after)).toEqual(withoutPlaces(stated(keepalived, conntrackd, added)));
  });

  test('keep every line of the operator, in place or as a comment', () => {
    const kept = new Set(text.split('\n').map((line) => line.trim().replace(/^# {3}(?=\S)/, '')));
    for (const line of (fixture(keepalived) + fixture(conntrackd)).split('\n')) {
      expect(kept).toContain(
        line
          .replaceAll('\u00a0', ' ')
          .trim()
          .replace(/^# {3}(?=\S)/, ''),
      );
    }
  });

  test('prepare a key, once, that keeps permissive company when the signs are taken away', () => {
    const keyFiles: KeyFiles = {
      read: () => ({ kind: 'text', text: `hex:${'0123456789abcdef'.repeat(4)}` }),
      whyNotSecret: () => undefined,
    };
    const sealed = text.replace(/# (?=sync_key 1|sync_active_key|sync_auth)/g, '');
    const { problems, settings } = load(sealed, { machine: machineWith({ keyFiles }) });
    expect(problems).toEqual([]);
    expect(settings?.sync?.seal).toMatchObject({ activeKeyId: 1, auth: 'permissive' });
    const again = migrateFiles({ '/m.conf': text }).text;
    expect(again.match(/# sync_key 1/g)).toHaveLength(1);
  });

  test('migrated again, nothing changes but the head', () => {
    const again = migrateFiles({ '/m.conf': text });
    expect(again.errors).toMatch(/^0 places changed/);
    const settings = load(again.text).settings;
    expect(settings && withoutPlaces(settings)).toEqual(
      withoutPlaces(load(text).settings ?? fail('not loaded')),
    );
  });
});

function fail(why: string): never {
  throw new Error(why);
}

describe('what is taken is written down', () => {
  const sync = (general: string, mode = 'Mode FTFW {\n}'): string =>
    `Sync {\n${mode}\nUDP {\nIPv4_address 10.9.0.1\nIPv4_Destination_Address 10.9.0.2\nPort 3780\nInterface eth1\n}\n}\n${general}`;
  const ignored = 'Filter {\nAddress Ignore {\nIPv4_address 10.9.0.0/30\n}\n}';

  test.each([
    ['a missing priority', instanceText('').replace('priority 100', ''), 'priority 100'],
    [
      'the priority of state MASTER',
      instanceText('state MASTER').replace('priority 100', ''),
      'priority 255',
    ],
    ['an unknown state', instanceText('state SLAVE # why'), 'state BACKUP # why'],
    ['a rounded interval', instanceText('advert_int 1.50 # why'), 'advert_int 2 # why'],
    [
      'a rounded interval of version 3',
      instanceText('version 3\nadvert_int 0.505'),
      'advert_int 0.51',
    ],
    ['garp packets', instanceText('garp_master_repeat 0'), 'garp_master_repeat 1'],
    ['a weight', instanceText('track_interface {\n  eth1 weight 254\n}'), 'eth1 weight 253'],
    ['a source without peers', instanceText('unicast_src_ip 192.0.2.9'), 'mcast_src_ip 192.0.2.9'],
    [
      'that there is no address',
      instanceText().replace('192.0.2.1/24', ''),
      'no_virtual_ipaddress',
    ],
    ['strict mode and state', instanceText('strict_mode\nstate MASTER'), 'state BACKUP'],
    ['strict mode and accept', instanceText('strict_mode\naccept'), 'no_accept'],
    [
      'strict mode and timers',
      instanceText('strict_mode\ndown_timer_adverts 5'),
      'down_timer_adverts 3',
    ],
    ['a comment inside a word', instanceText('advert_int 1#s'), 'advert_int 1 #s'],
    ['a missing Mode', sync(`General {\n${ignored}\n}`, ''), 'Mode FTFW {'],
    ['an old Mode', sync(`General {\n${ignored}\n}`, 'Mode NACK {\n}'), 'Mode FTFW {'],
    ['ignored addresses', sync('General {\nFilter {\n}\n}'), 'IPv4_address 10.9.0.1'],
    ['ignored addresses without filter', sync('General {\n}'), 'IPv4_address 10.9.0.2'],
    ['ignored addresses without General', sync(''), 'IPv4_address 10.9.0.2'],
    [
      'the largest buffer',
      sync(`General {\nNetlinkBufferSize 9000\n${ignored}\n}`),
      'NetlinkBufferSizeMaxGrowth 9000',
    ],
    [
      'a larger largest buffer',
      sync(`General {\nNetlinkBufferSizeMaxGrowth 8000\nNetlinkBufferSize 9000\n${ignored}\n}`),
      'NetlinkBufferSizeMaxGrowth 9000',
    ],
  ])('%s', (_title, original, line) => {
    const { text } = migrated(original);
    expect(text.split('\n').map((one) => one.trim())).toContain(line);
    expect(load(text).problems).toEqual([]);
    const [before, after] = [load(original).settings, load(text).settings];
    expect(after?.vrrp).toEqual(before?.vrrp);
    expect(after?.sync?.links).toEqual(before?.sync?.links);
    expect(after?.binding.kind).toBe(before?.binding.kind);
  });

  test('the priority of a rule', () => {
    const original = instanceText('virtual_rules {\n  from 10.0.0.0/8 table 5 # why\n}');
    const { text } = migrated(original);
    expect(text).toContain('  from 10.0.0.0/8 table 5 priority 16384 # why\n');
    expect(load(text).problems).toEqual([]);
    expect(load(text).settings?.vrrp).toEqual(load(original).settings?.vrrp);
  });

  test('a keyword that stands twice keeps the value that counts', () => {
    const original = instanceText('advert_int 3\nadvert_int 2');
    const { text } = migrated(original);
    expect(text).toContain('    #   advert_int 3\n    advert_int 2\n');
    expect(load(text).problems).toEqual([]);
    expect(load(text).settings?.vrrp).toEqual(load(original).settings?.vrrp);
  });

  test('a neighbour on the same line stays', () => {
    const original = sync(
      `General { PollSecs 5 HashLimit 77 Nice 3 ${ignored.replaceAll('\n', ' ')} }\n`,
    );
    const { text } = migrated(original);
    expect(load(text).problems).toEqual([]);
    expect(load(text).settings?.sync?.hashLimit).toBe(77);
    expect(text).toContain('\n#   General { PollSecs 5 HashLimit 77 ');
  });

  test('a definition with several lines in it is left alone, and accepted or named', () => {
    const original = `$DEBUG=debug\\\n  priority 7\n${instanceText('$DEBUG').replace('    priority 100\n', '')}`;
    const { text, errors } = migrated(original);
    expect(load(text).settings?.vrrp.instances[0]?.priority).toBe(7);
    expect(errors).toContain('1 problem left for you');
  });

  test('a line that is refused is dropped with its block, and its loss is said', () => {
    const { text } = migrated(instanceText('use_vmac {\n  x\n}'));
    expect(text).toContain(
      "# keepstate: dropped: 'use_vmac' is not supported\n    #   use_vmac {\n      #   x\n    #   }\n",
    );
    expect(load(text).problems).toEqual([]);
  });
});

describe('what did something and is dropped is left to the operator, and gives 1', () => {
  const authentication = 'authentication {\n  auth_type AH\n  auth_pass 12345678\n}';
  const server =
    'virtual_server 192.0.2.1 80 {\n  lb_algo rr\n  real_server 10.0.0.1 80 {\n  }\n}\n';
  const helper = 'Helper {\n  Type rpc inet tcp {\n    QueueNum 0\n  }\n}\n';

  test.each([
    ['auth_type AH', instanceText(authentication), "dropped: 'auth_type AH' is not supported"],
    ['use_vmac', instanceText('use_vmac'), "dropped: 'use_vmac' is not supported"],
    ['virtual_server', instanceText('', server), "dropped: 'virtual_server' is not supported"],
    ['Helper', instanceText('', helper), "dropped: the helper 'rpc inet tcp' is not done"],
    ['SNMP', instanceText('', 'global_defs {\n  enable_snmp_rfc\n}\n'), 'lost: answers over SNMP'],
  ])('%s', (_title, original, words) => {
    const { status, text, errors } = migrated(original);
    expect(status).toBe(1);
    expect(errors).toContain(words);
    expect(errors).toContain('1 problem left for you, shown above');
    const line = Number(/^migrated:(\d+):\d+: dropped:/m.exec(errors)?.[1]);
    expect(text.split('\n')[line - 1]).toContain('# keepstate: dropped: ');
    expect(load(text).settings).toBeDefined();
  });

  test('each place is named, and what asked for nothing is no loss', () => {
    const twice =
      instanceText('use_vmac') +
      instanceText('use_vmac').replace('A {', 'B {').replace('_id 7', '_id 8');
    const { status, errors } = migrated(
      `${twice}global_defs {\n  notification_email {\n    a@b\n  }\n}\n`,
    );
    expect(status).toBe(1);
    expect(errors.match(/dropped: 'use_vmac'/g)).toHaveLength(2);
    expect(errors).not.toContain('notification_email');
  });
});

describe('what must stay', () => {
  test('is accepted by its code, with the reason', () => {
    const password = 'authentication {\n  auth_type PASS\n  auth_pass 123456789\n}';
    const { text } = migrated(instanceText(`${password}\nvirtual_ipaddress {\n  192.0.2.1/24\n}`));
    expect(text).toContain('      auth_pass 12345678\n');
    expect(text).toContain(
      '    # keepstate: accepted: the password travels in clear text, readable by everyone on the segment\n    accept_warning clear-text-password ',
    );
    const result = load(text);
    expect(result.problems).toEqual([]);
    expect(result.accepted.map(({ problem }) => problem.code)).toEqual([
      'clear-text-password',
      'duplicate-address',
    ]);
  });

  test('what only the operator can decide stays a warning, with a note at its line', () => {
    const other = instanceText().replace('A {', 'B {').replace('_id 7', '_id 8');
    const { status, text, errors } = migrated(
      instanceText() + other,
      fixture('multicast.conntrackd'),
    );
    expect(status).toBe(0);
    expect(errors).toContain('1 problem left for you');
    expect(text).toMatch(
      /# keepstate: warning: nothing says which instance .*\nvrrp_instance B \{/,
    );
  });

  test('an error stays an error, and gives 1', () => {
    const { status, text, errors } = migrated(instanceText('priorty 5'));
    expect(status).toBe(1);
    expect(text).toContain(
      "# keepstate: error: unknown keyword 'priorty' in 'vrrp_instance'\n    priorty 5",
    );
    expect(errors).toContain("did you mean 'priority'?");
  });
});

describe('included files', () => {
  const others = {
    '/etc/keepalived/conf.d/a.conf': `# of a\n${instanceText('debug 1')}include ../deeper.conf\n`,
    '/etc/keepalived/deeper.conf': 'vrrp_script s {\n  script "${_PWD}/s.sh"\n}\n',
  };
  const main = 'include conf.d/*.conf\ninclude none.d/*.conf\n';

  test('are put in where they were included, and migrated too', () => {
    const { text, status } = migrateFiles({ '/etc/keepalived/keepalived.conf': main }, others);
    expect(status).toBe(0);
    expect(text).toContain(
      '#   include conf.d/*.conf\n# ---- from /etc/keepalived/conf.d/a.conf\n# of a\n',
    );
    expect(text).toContain(
      '# keepstate: dropped: no file matches this pattern\n#   include none.d/*.conf\n',
    );
    expect(text).toContain('#   debug 1\n');
    const before = loadFiles({
      ...others,
      '/etc/keepalived/keepalived.conf': main,
      '/etc/node.conf': 'include keepalived/keepalived.conf\n',
    });
    const after = load(text);
    expect(after.problems).toEqual([]);
    expect(after.settings?.sources).toEqual(['/etc/node.conf']);
    expect(after.settings?.vrrp.instances).toEqual(before.settings?.vrrp.instances);
  });

  test('that include each other end in a problem', () => {
    const { status, errors } = migrateFiles(
      { '/k.conf': 'include a\ninclude b\n' },
      { '/a': 'include b\n', '/b': 'include a\n' },
    );
    expect(status).toBe(1);
    expect(errors).toContain('include');
  });

  test('that cannot be read stay an error', () => {
    const { status, text } = migrateFiles({ '/k.conf': `include gone.conf\n${instanceText()}` });
    expect(status).toBe(1);
    expect(text).toContain('\ninclude gone.conf\n');
  });
});

test('an unreadable file gives 2', () => {
  expect(runMigrate(['/none'], portsWith(), new Captured())).toBe(2);
});

test('the printed file has its problems by its own lines', () => {
  const { text, errors } = migrated(instanceText('priorty 5'));
  const [place] = placesOf(load(text));
  expect(errors).toContain(`migrated:${place?.split(' ')[2] ?? ''}: error`);
});
