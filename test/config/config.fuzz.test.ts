/**
 * Arbitrary text gives problems, never an exception; what is printed reads back to the same
 * settings.
 */
import fc from 'fast-check';
import { formatIp, parseIp } from '../../src/base/ipAddress.js';
import { findRow, knownSpellings, type Rows } from '../../src/config/table/row.js';
import { joinScriptWords, splitScriptWords } from '../../src/config/table/scriptWords.js';
import { quoteWord } from '../../src/config/table/printRows.js';
import { rootRows } from '../../src/config/keywords/rootRows.js';
import type { NodeSettings } from '../../src/config/nodeSettings.js';
import { printNode } from '../../src/config/printNode.js';
import { migrate } from '../../src/config/migrate/migratePair.js';
import { load, loadFiles, portsWith } from './loading.js';

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const bounded = { interruptAfterTimeLimit: isFull ? 60_000 : 3_000, numRuns: 20_000 };
const timeout = 120_000;

/** Every keyword of every table. */
function keywords(rows: Rows): readonly string[] {
  return knownSpellings(rows).flatMap((name) => [
    name,
    ...keywords(findRow(rows, name)?.row.type.block?.rows ?? {}),
  ]);
}

const allKeywords = [...new Set(keywords(rootRows))];
const soup = fc.oneof(
  fc.constantFrom('{', '}', '\n', '\n', ' ', '"', '\\', '#', '!', '$A', '${A}', '$A=', '@id ', ';'),
  fc.constantFrom(
    'include x',
    '~SEQ(a,1,3)',
    '~LST(a,b)',
    'on',
    'off',
    '1',
    '-1',
    '1e9',
    '10.0.0.1',
  ),
  fc.constantFrom(...allKeywords),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
  fc.string({ maxLength: 8, unit: 'binary' }),
);

describe('arbitrary text', () => {
  test(
    'ends in problems, never in an exception',
    () => {
      fc.assert(
        fc.property(fc.array(soup, { maxLength: 80 }), (parts) => {
          const result = load(parts.join(' '));
          const hasError = result.problems.some(({ severity }) => severity === 'error');
          expect(result.settings === undefined).toBe(hasError);
          for (const { at } of result.problems) {
            expect(at.line).toBeGreaterThanOrEqual(1);
            expect(at.column).toBeGreaterThanOrEqual(1);
          }
        }),
        bounded,
      );
    },
    timeout,
  );

  test(
    'is migrated without an exception, and what loads goes on loading',
    () => {
      fc.assert(
        fc.property(fc.array(soup, { maxLength: 40 }), (parts) => {
          const text = `${parts.join(' ')}\n`;
          const { remaining } = migrate([{ path: '/k.conf', text }], portsWith());
          // Where every line was without effect, nothing is left.
          const isEmpty = remaining.problems.some(({ code }) => code === 'empty');
          if (load(text).settings !== undefined && !isEmpty) {
            expect(remaining.settings).toBeDefined();
          }
        }),
        bounded,
      );
    },
    timeout,
  );

  test(
    'a file of 10 MB ends in a problem',
    () => {
      const line = 'vrrp_instance A { priority 5 }\n';
      const result = load(line.repeat(Math.ceil((10 * 1024 * 1024) / line.length)));
      expect(result.problems.map(({ code }) => code)).toContain('too-large');
    },
    timeout,
  );

  test(
    'a file just below the limit, of one word or of many, ends too',
    () => {
      for (const unit of ['a', 'a ', 'a\n', '{', '{\n', 'a{}', '"', '$A=1\n', '$A\n']) {
        const text = `$A=b\n${unit.repeat(Math.floor((4 * 1024 * 1024 - 100) / unit.length))}`;
        expect(load(text).settings).toBeUndefined();
      }
    },
    timeout,
  );

  test.each(['{', 'a {', 'vrrp_instance A {', 'Sync {', 'Sync { Mode FTFW {', 'group {\n'])(
    '10,000 nested "%s" end in a problem',
    (opening) => {
      for (const text of [opening.repeat(10_000), opening.repeat(10_000) + '}'.repeat(10_000)]) {
        const result = load(text);
        expect(result.settings).toBeUndefined();
        expect(result.problems.length).toBeGreaterThan(0);
      }
    },
    timeout,
  );

  test(
    'definitions that double each other end in a problem',
    () => {
      const lines = Array.from({ length: 40 }, (_, i) => `$A${i + 1}=\${A${i}}\${A${i}}`);
      const result = load(`$A0=x\n${lines.join('\n')}\nrouter \${A40}\n`);
      expect(result.problems.map(({ code }) => code)).toContain('endless-definition');
    },
    timeout,
  );

  test(
    'includes that double each other end in a problem',
    () => {
      const files: Record<string, string> = {};
      for (let i = 0; i < 16; i++) files[`/etc/${i}`] = `include ${i + 1}\n`.repeat(10);
      files['/etc/16'] = 'x\n'.repeat(1_000);
      const result = loadFiles({ ...files, '/etc/node.conf': 'include 0\n' });
      expect(result.settings).toBeUndefined();
    },
    timeout,
  );
});

describe('quoting', () => {
  test(
    'script words survive joining and splitting',
    () => {
      fc.assert(
        fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (words) => {
          const quoted = joinScriptWords(words);
          expect(splitScriptWords(quoted.slice(1, -1))).toEqual(words);
        }),
        bounded,
      );
    },
    timeout,
  );

  test(
    'a quoted word reads back',
    () => {
      const oneLine = fc.string({ minLength: 1 }).filter((word) => !/[\r\n]/.test(word));
      fc.assert(
        fc.property(oneLine, (word) => {
          const result = load(`global_defs {\n router_id ${quoteWord(word)}\n}\nnet_namespace x\n`);
          expect(result.settings?.vrrp.routerId).toBe(word);
        }),
        bounded,
      );
    },
    timeout,
  );
});

const octet = fc.integer({ min: 1, max: 254 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const ipv6 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => formatIp({ family: 6, bytes }));
const name = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,11}$/)
  .filter((it) => !allKeywords.includes(it));
const maybe = (line: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(line, { nil: '' }).map((it) => (it === '' ? '' : `${it}\n`));
const lines = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map(maybe)).map((all) => all.join(''));
const number = (keyword: string, min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((value) => `${keyword} ${value}`);
const flags = (...keywords_: string[]): fc.Arbitrary<string>[] =>
  keywords_.map((keyword) =>
    fc.constantFrom('', ' on', ' off', ' true', ' no').map((word) => keyword + word),
  );
const scriptLine = (keyword: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.string(), { maxLength: 3 }), fc.constantFrom('', ' root', ' root adm'))
    .map(([words, user]) => `${keyword} ${joinScriptWords(['/bin/x', ...words])}${user}`);
const entry4 = fc
  .tuple(
    ipv4,
    fc.integer({ min: 1, max: 30 }),
    fc.constantFrom(
      '',
      ' dev eth9',
      ' brd +',
      ' brd -',
      ' scope link',
      ' label eth0:1',
      ' no_track',
      ' home',
    ),
    fc.constantFrom('', ' preferred_lft 5', ' preferred_lft forever', ' noprefixroute'),
  )
  .map(([address, length, ...options]) => `${address}/${length}${options.join('')}`);
const entry6 = fc
  .tuple(
    ipv6,
    fc.constantFrom('', '/64', '/128'),
    fc.constantFrom('', ' -nodad', ' preferred_lft 9'),
  )
  .map((parts) => parts.join(''));
const blockOf = (keyword: string, items: readonly string[]): string =>
  `${keyword} {\n${items.map((item) => `${item}\n`).join('')}}\n`;

const instance = fc
  .record({
    name,
    device: name,
    vrid: fc.integer({ min: 1, max: 255 }),
    entries: fc.oneof(
      fc.array(entry4, { minLength: 1, maxLength: 4 }),
      fc.array(entry6, { minLength: 1, maxLength: 4 }),
    ),
    excluded: fc.array(fc.oneof(entry4, entry6), { maxLength: 3 }),
    routes: fc.array(
      fc
        .tuple(
          ipv4,
          fc.constantFrom(
            '',
            ' metric 5',
            ' table main',
            ' scope link',
            ' mtu 1400 onlink no_track',
          ),
        )
        .map(([a, o]) => `${a}/32 dev eth1${o}`),
      { maxLength: 2 },
    ),
    rules: fc.array(
      fc.tuple(ipv4, octet).map(([a, t]) => `from ${a}/24 table ${t} priority 5`),
      { maxLength: 2 },
    ),
    body: lines(
      fc.constantFrom('state MASTER', 'state BACKUP'),
      number('priority', 1, 255),
      fc.constantFrom('advert_int 1', 'advert_int 0.5', 'advert_int 3'),
      fc.constantFrom('version 2', 'version 3'),
      fc.constantFrom('preempt', 'nopreempt'),
      fc.constantFrom('accept', 'no_accept'),
      number('preempt_delay', 0, 1_000),
      number('down_timer_adverts', 1, 100),
      number('garp_master_delay', 0, 100),
      number('garp_master_repeat', 0, 100),
      number('garp_lower_prio_repeat', 0, 100),
      ...flags(
        'track_src_ip',
        'check_unicast_src',
        'dont_track_primary',
        'strict_mode',
        'conntrack_sync',
      ),
      ...flags(
        'skip_check_adv_addr',
        'promote_secondaries',
        'lower_prio_no_advert',
        'notify_priority_changes',
      ),
      scriptLine('notify_master'),
      scriptLine('notify'),
      scriptLine('notify_stop'),
      fc.constantFrom(
        'authentication {\nauth_type PASS\nauth_pass "a b"\n}',
        'track_interface {\neth5 weight -5 reverse\neth6\n}',
      ),
    ),
  })
  .map(
    (it) =>
      `vrrp_instance ${it.name} {\ninterface ${it.device}\nvirtual_router_id ${it.vrid}\n${it.body}${blockOf('virtual_ipaddress', it.entries)}${blockOf('virtual_ipaddress_excluded', it.excluded)}${blockOf('virtual_routes', it.routes)}${blockOf('virtual_rules', it.rules)}}\n`,
  );

const globals = lines(
  name.map((it) => `router_id ${it}`),
  fc.constantFrom('script_user root', 'script_user root adm'),
  fc.constantFrom('vrrp_version 2', 'vrrp_version 3'),
  number('vrrp_garp_master_repeat', 0, 10),
  number('vrrp_garp_interval', 0, 3),
  fc.constantFrom('vrrp_garp_interval 0.001', 'peer_port off', 'peer_port 999'),
  ...flags(
    'vrrp_min_garp',
    'enable_script_security',
    'commit_before_vip',
    'accept_any_sync_source',
  ),
  number('commit_deadline', 0, 10_000),
  number('history_size', 1, 9_999),
  scriptLine('startup_script'),
).map((body) => `global_defs {\n${body}}\n`);

const onOff = fc.constantFrom('on', 'off', 'Yes', 'NO');
const link = fc.oneof(
  fc
    .tuple(ipv4, ipv4, onOff)
    .map(
      ([a, b, c]) =>
        `UDP { IPv4_address ${a} IPv4_Destination_Address ${b} Port 3780 Interface e1 Checksum ${c} }`,
    ),
  fc
    .tuple(ipv6, ipv6)
    .map(
      ([a, b]) =>
        `TCP Default { IPv6_address ${a} IPv6_Destination_Address ${b} Port 3781 Interface e1 ErrorQueueLength 5 }`,
    ),
  fc
    .tuple(octet, ipv4)
    .map(
      ([g, a]) =>
        `Multicast { IPv4_address 225.0.0.${g} Group 3780 IPv4_interface ${a} Interface e2 SndSocketBuffer 5 }`,
    ),
);
const sync = fc
  .record({
    link,
    mode: fc.oneof(
      fc
        .tuple(octet, onOff)
        .map(
          ([n, o]) =>
            `FTFW { ResendQueueSize ${n} ACKWindowSize ${n} CommitTimeout ${n} DisableExternalCache ${o} StartupResync ${o} }`,
        ),
      onOff.map((o) => `NOTRACK { DisableInternalCache ${o} PurgeTimeout 9 }`),
      octet.map((n) => `alarm { RefreshTime ${n} CacheTimeout ${n} }`),
    ),
    options: fc.constantFrom(
      '',
      'Options { TCPWindowTracking on ExpectationSync { ftp sip } }',
      'Options { ExpectationSync on }',
    ),
    general: lines(
      number('HashSize', 1, 99_999),
      number('HashLimit', 1, 99_999),
      fc.constantFrom('LogFile on', 'LogFile off', 'LogFile /x/y', 'Syslog local3'),
      fc.constantFrom('NetlinkOverrunResync off', 'NetlinkOverrunResync 7', 'PollSecs 5'),
      onOff.map((o) => `NetlinkEventsReliable ${o} Systemd ${o}`),
      fc.constantFrom('UNIX { Path /a/b }', 'LockFile "/a b"'),
      fc
        .tuple(ipv4, ipv6, octet)
        .map(
          ([a, b, p]) =>
            `Filter From Kernelspace { Protocol Accept { TCP ${p} udp } Address Ignore { IPv4_address ${a}/20 IPv6_address ${b} } State Ignore { SYN_SENT CLOSE for TCP } }`,
        ),
    ),
  })
  .map((it) => `Sync { Mode ${it.mode} ${it.link} ${it.options} }\nGeneral {\n${it.general}}\n`);

const node = fc
  .tuple(globals, fc.array(instance, { maxLength: 3 }), fc.option(sync, { nil: '' }), fc.boolean())
  .map(([g, instances, s, isSyncFirst]) =>
    isSyncFirst ? s + g + instances.join('') : g + instances.join('') + s,
  );

describe('the normal form', () => {
  test(
    'of generated configurations loads to equal settings, and prints as itself',
    () => {
      let compared = 0;
      fc.assert(
        fc.property(node, (text) => {
          const first = load(text);
          if (first.settings === undefined || first.values === undefined) return;
          compared++;
          const printed = printNode(first.values);
          const second = load(printed);
          expect(withoutPlaces(second.settings)).toEqual(withoutPlaces(first.settings));
          expect(second.values === undefined ? '' : printNode(second.values)).toBe(printed);
        }),
        bounded,
      );
      expect(compared).toBeGreaterThan(100);
    },
    timeout,
  );
});

describe('migrate', () => {
  test(
    'of generated configurations leaves only what an operator must decide, and means the same',
    () => {
      let compared = 0;
      fc.assert(
        fc.property(node, (text) => {
          const { settings } = load(text);
          if (settings === undefined) return;
          compared++;
          const { remaining } = migrate([{ path: '/k.conf', text }], portsWith());
          const left = remaining.problems.filter(({ code }) => code !== 'no-binding');
          expect(left).toEqual([]);
          expect(remaining.settings && statedApart(remaining.settings)).toEqual(
            statedApart(settings),
          );
        }),
        bounded,
      );
      expect(compared).toBeGreaterThan(100);
    },
    timeout,
  );
});

/** Without what migrate changes by its word: each of them does nothing here or is done anyhow. */
function statedApart(settings: NodeSettings): unknown {
  const { vrrp, sync, binding, general, keepstate } = settings;
  return {
    vrrp: {
      ...vrrp,
      instances: vrrp.instances.map((one) => ({ ...one, nopreemptDisarmed: false })),
    },
    sync: {
      ...sync,
      pollSeconds: undefined,
      filter: { ...sync?.filter, address: undefined },
    },
    binding: { ...binding, because: '' },
    general,
    keepstate,
  };
}

/** The reason of a binding names a line, and lines move when a file is printed. */
function withoutPlaces(settings: ReturnType<typeof load>['settings']): unknown {
  if (settings === undefined) return undefined;
  return { ...settings, binding: { ...settings.binding, because: '' } };
}

test('addresses of the generator are addresses', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (text) => parseIp(text) !== undefined),
    { numRuns: 200 },
  );
});
