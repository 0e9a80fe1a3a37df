/** The language: comments, quotes, includes, definitions, conditions, repetition, both dialects. */
import { formatIp } from '../../src/base/ipAddress.js';
import type { LoadResult } from '../../src/config/loadNode.js';
import { instanceText, load, loadFiles, placesOf } from './loading.js';

const vipsOf = (result: LoadResult): readonly string[] =>
  (result.settings?.vrrp.instances ?? []).flatMap(({ virtualAddresses }) =>
    virtualAddresses.map(({ spec }) => `${formatIp(spec.address)}/${spec.prefixLength}`),
  );
const vipText = (lines: string, before = ''): string =>
  `${before}${instanceText().replace('        192.0.2.1/24', lines)}`;
const priorityOf = (result: LoadResult): number | undefined =>
  result.settings?.vrrp.instances[0]?.priority;
const errorsOf = (result: LoadResult): readonly string[] =>
  placesOf(result).filter((place) => place.startsWith('error'));

describe('blocks and words', () => {
  test('a brace may stand on the next line, and a block on one line', () => {
    const text = `vrrp_instance A\n{\n interface eth0\n virtual_router_id 7\n priority 3\n virtual_ipaddress { 192.0.2.9/24 dev eth0 }\n}`;
    expect(vipsOf(load(text))).toEqual(['192.0.2.9/24']);
  });

  test('a brace may touch the name', () => {
    expect(priorityOf(load(instanceText().replace('A {', 'A{')))).toBe(100);
  });

  test('members stand on one line or several', () => {
    const other = instanceText().replace('A {', 'B {').replace('_id 7', '_id 8');
    const group = 'vrrp_sync_group G {\n group { A\n B }\n}\n';
    expect(load(instanceText() + other + group).settings?.vrrp.groups[0]?.members).toEqual([
      'A',
      'B',
    ]);
  });

  test('# and ! start comments outside quotes; escaped they do not', () => {
    const text = instanceText(
      'notify_master "/x #1 !2" # done\nauthentication {\n  auth_type PASS\n  auth_pass a\\#b\\!c ! here\n}',
    );
    const instance = load(text).settings?.vrrp.instances[0];
    expect(instance?.notify.master?.words).toEqual(['/x', '#1', '!2']);
    expect(instance?.authentication).toEqual({
      kind: 'pass',
      bytes: Uint8Array.from(Buffer.from('a#b!c\0\0\0')),
    });
  });

  test('a comment that cuts a word is reported', () => {
    const text = instanceText('authentication {\n  auth_type PASS\n  auth_pass ab!cd\n}');
    expect(placesOf(load(text))).toContain('warning comment-inside-word 10:19');
  });

  test('words of a script keep inner quotes and escapes', () => {
    const text = instanceText(String.raw`notify "/x 'a b' c\ d \"e f\" ''" root adm`);
    expect(load(text).settings?.vrrp.instances[0]?.notify.generic).toEqual({
      words: ['/x', 'a b', 'c d', '"e', 'f"', ''],
      user: 'root',
      group: 'adm',
    });
  });

  test('line ends mean nothing inside conntrackd blocks', () => {
    const text =
      'Sync { Mode\nFTFW { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address\n10.0.0.2 Port 3780 Interface eth1 } } General { LockFile\n/x HashLimit 7 }';
    const { sync, general } = load(text).settings ?? {};
    expect(sync).toMatchObject({ hashLimit: 7, mode: 'FTFW' });
    expect(general?.lockFile).toBe('/x');
    expect(sync?.links).toHaveLength(1);
  });

  test('! is no comment inside conntrackd blocks', () => {
    const text =
      'Sync { UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 } }\nGeneral {\n LogFile /var/log/a!b\n}';
    expect(load(text).settings?.general.logFile).toBe('/var/log/a!b');
  });

  test('no-break spaces are blanks, said once per file', () => {
    const result = load(instanceText().replaceAll('    ', '\u00a0\u00a0\u00a0 '));
    expect(priorityOf(result)).toBe(100);
    expect(placesOf(result).filter((place) => place.includes('no-break-space'))).toEqual([
      'warning no-break-space 2:1',
    ]);
  });

  test('carriage returns are blanks', () => {
    expect(priorityOf(load(instanceText().replaceAll('\n', '\r\n')))).toBe(100);
  });
});

describe('definitions', () => {
  test('are replaced where a blank or the end follows, or in braces anywhere', () => {
    const result = load(
      vipText('        192.0.2.${N}/24', '$N=9\n$P=77\n').replace('priority 100', 'priority $P'),
    );
    expect(vipsOf(result)).toEqual(['192.0.2.9/24']);
    expect(priorityOf(result)).toBe(77);
  });

  test('are not replaced before another character, and that is said', () => {
    const result = load(vipText('        $A/24', '$A=192.0.2.9\n'));
    expect(placesOf(result)).toEqual([
      'warning definition-not-replaced 7:9',
      'error bad-address 7:9',
    ]);
  });

  test('take their value at the place of use', () => {
    const before = '$BASE=10.2.${SUB}\n$SUB=0\n';
    expect(
      vipsOf(
        load(vipText('        ${BASE}.100/32\n        $SUB=10\n        ${BASE}.100/32', before)),
      ),
    ).toEqual(['10.2.0.100/32', '10.2.10.100/32']);
  });

  test('may hold several lines', () => {
    const block = '$VIPS= \\\n 192.0.2.5/24 \\\n 192.0.2.6/24\n';
    expect(vipsOf(load(vipText('        $VIPS', block)))).toEqual(['192.0.2.5/24', '192.0.2.6/24']);
  });

  test("a problem in a replaced line is reported at the definition's use", () => {
    expect(errorsOf(load(vipText('        192.0.2.1 dev $IF', '$IF=a/b\n')))).toEqual([
      'error bad-value 7:23',
    ]);
  });

  test('that replace themselves end in a problem', () => {
    const result = load(vipText('        ${A}', '$A=x${A}\n'));
    expect(errorsOf(result)).toEqual(['error endless-definition 7:1']);
  });

  test('built in: _PWD, _INSTANCE, _HASH, _BANG', () => {
    const text = instanceText('notify "${_PWD}/${_INSTANCE} ${_HASH}1 ${_BANG}2"');
    expect(load(text).settings?.vrrp.instances[0]?.notify.generic?.words).toEqual([
      '/etc/node1',
      '#1',
      '!2',
    ]);
  });
});

describe('conditions and repetitions', () => {
  const text = instanceText('@fw1 priority 170\n@^fw1 priority 85');

  test('@id lines count where the id is the host name or what is asked for', () => {
    expect(priorityOf(load(text, { configId: 'fw1' }))).toBe(170);
    expect(priorityOf(load(text, { hostName: 'fw1.example' }))).toBe(170);
    expect(priorityOf(load(text))).toBe(85);
  });

  test('the root keyword instance names the id', () => {
    expect(priorityOf(load(`instance fw1\n${text}`))).toBe(170);
  });

  test.each([
    ['~SEQ(n,1,3) 192.0.2.$n', ['192.0.2.1/32', '192.0.2.2/32', '192.0.2.3/32']],
    ['~SEQ(n,2) 192.0.2.$n', ['192.0.2.1/32', '192.0.2.2/32']],
    ['~SEQ(n,9,-4,1) 192.0.2.$n', ['192.0.2.9/32', '192.0.2.5/32', '192.0.2.1/32']],
    ['~LST(n,4,6) 192.0.2.${n}/30', ['192.0.2.4/30', '192.0.2.6/30']],
    ['~LST({a,b},{1,2},{3,4}) 192.0.${a}.$b', ['192.0.1.2/32', '192.0.3.4/32']],
    [
      '~SEQ(a,1,2) ~LST(b,7,8) 192.0.${a}.$b',
      ['192.0.1.7/32', '192.0.1.8/32', '192.0.2.7/32', '192.0.2.8/32'],
    ],
  ])('%s repeats its line', (line, expected) => {
    expect(vipsOf(load(vipText(line)))).toEqual(expected);
  });

  test('~SEQx counts in hexadecimal', () => {
    expect(vipsOf(load(vipText('~SEQx(n,0x90,0x10,0xb0) fd00::${n}')))).toEqual([
      'fd00::90/128',
      'fd00::a0/128',
      'fd00::b0/128',
    ]);
  });
});

describe('include', () => {
  test('is relative to the including file, takes globs and braces, and keeps places', () => {
    const result = loadFiles({
      '/etc/node.conf': 'include conf.d/*.conf\ninclude {x,y}.inc\n',
      '/etc/conf.d/a.conf': instanceText(),
      '/etc/conf.d/b.conf': 'vrrp_script unused {\n  script "/x"\n}\n',
      '/etc/x.inc': 'global_defs {\n  router_id r\n}\n',
      '/etc/y.inc': 'include deeper/z\n',
      '/etc/deeper/z': 'global_defs {\n  bogus\n}\n',
    });
    const error = result.problems.find(({ severity }) => severity === 'error');
    expect(error?.at).toEqual({ file: '/etc/deeper/z', line: 2, column: 3 });
  });

  test('a range that runs backwards matches nothing', () => {
    const files = {
      '/etc/node.conf': `${instanceText()}include [9-1].conf\n`,
      '/etc/5.conf': 'x\n',
    };
    expect(placesOf(loadFiles(files))).toEqual(['warning include-empty 9:9']);
  });

  test('files that were read are listed', () => {
    const result = loadFiles({ '/etc/node.conf': 'include a\n', '/etc/a': instanceText() });
    expect(result.settings?.sources).toEqual(['/etc/node.conf', '/etc/a']);
  });

  test.each(['include node.conf', 'include a'])('a loop by "%s" is found', (line) => {
    const result = loadFiles({
      '/etc/node.conf': `${instanceText()}${line}\n`,
      '/etc/a': 'include node.conf\n',
    });
    expect(result.problems.map(({ code }) => code)).toContain('include-loop');
  });

  test('a pattern without match is a warning, with includem an error', () => {
    const text = (keyword: string): string => `${instanceText()}${keyword} conf.d/*.conf\n`;
    expect(placesOf(load(text('include')))).toEqual(['warning include-empty 9:9']);
    expect(placesOf(load(text('includem')))).toEqual(['error include-empty 9:10']);
  });
});
