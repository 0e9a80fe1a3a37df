/** Two nodes against each other: each mismatch is found, and a right pair gives none. */
import { crossCheck } from '../../../src/config/peer/crossCheck.js';
import { load } from '../loading.js';

const instance = (own: number): string => `vrrp_instance A {
    interface eth0
    virtual_router_id 7
    priority ${own * 10}
    unicast_src_ip 10.0.0.${own}
    unicast_peer {
        10.0.0.${3 - own}
    }
    virtual_ipaddress {
        10.0.0.9/24
    }
}
`;
const multicast = (own: number): string => instance(own).replace(/ {4}unicast_src[^}]*\}\n/, '');
const sync = (own: number): string => `Sync {
    Mode FTFW { }
    UDP { IPv4_address 10.1.0.${own} IPv4_Destination_Address 10.1.0.${3 - own} Port 3780 Interface eth1 }
}
`;
const group = 'vrrp_sync_group G {\n    group { A }\n}\n';
const multicastSync =
  'Sync {\n    Mode FTFW { }\n    Multicast { IPv4_address 225.0.0.50 Group 3780 Interface eth1 }\n}\n';

function compare(own: string, peer: string): readonly string[] {
  const [a, b] = [own, peer].map((text) => {
    const { settings, values, problems } = load(text);
    if (settings === undefined || values === undefined) throw new Error(JSON.stringify(problems));
    return { settings, values, file: '/etc/node.conf' };
  });
  if (a === undefined || b === undefined) throw new Error('two sides');
  return crossCheck(a, b).problems.map(({ code, at }) => `${code} ${at.line}:${at.column}`);
}

const fw1 = instance(1) + sync(1);
const fw2 = instance(2) + sync(2);

describe('crossCheck', () => {
  test('a pair that fits gives nothing', () => {
    expect(compare(fw1, fw2)).toEqual([]);
    expect(compare(fw2, fw1)).toEqual([]);
    expect(compare(multicast(1) + multicastSync, multicast(2) + multicastSync)).toEqual([]);
  });

  test('instances meet by VRID where their names differ', () => {
    expect(compare(fw1, fw2.replace('instance A', 'instance B'))).toEqual([]);
  });

  test.each([
    ['VRID', fw2.replace('_id 7', '_id 8'), ['peer-vrid 3:5']],
    [
      'password',
      fw2.replace(
        '    virtual_ip',
        '    authentication {\n auth_type PASS\n auth_pass x\n }\n    virtual_ip',
      ),
      ['peer-auth 1:1'],
    ],
    [
      'advertisement interval',
      fw2.replace('priority', 'advert_int 3\npriority'),
      ['peer-advert-int 1:1'],
    ],
    ['version', fw2.replace('priority', 'version 3\npriority'), ['peer-version 1:1']],
    ['VIP list', fw2.replace('10.0.0.9/24', '10.0.0.9/24\n10.0.0.10/24'), ['peer-vips 9:5']],
    ['VIP prefix', fw2.replace('10.0.0.9/24', '10.0.0.9/25'), ['peer-vips 9:5']],
    ['priority', fw2.replace('priority 20', 'priority 10'), ['equal-priorities 4:5']],
    ['preemption', fw2.replace('priority', 'nopreempt\npriority'), ['peer-preempt 1:1']],
    [
      'down timer',
      fw2.replace('priority', 'down_timer_adverts 5\npriority'),
      ['peer-down-timer 1:1'],
    ],
    ['unicast source', fw2.replace('src_ip 10.0.0.2', 'src_ip 10.0.0.5'), ['peer-mirror 6:5']],
    ['unicast peer', fw2.replace('        10.0.0.1', '        10.0.0.5'), ['peer-mirror 6:5']],
    ['transport', multicast(2) + sync(2), ['peer-transport 6:5']],
    ['missing instance', sync(2), ['peer-missing 1:1']],
    ['sync mode', fw2.replace('FTFW', 'NOTRACK'), ['peer-mode 14:5']],
    ['sync port', fw2.replace('3780', '3790'), ['peer-port 14:5', 'peer-link-port 15:5']],
    ['sync source', fw2.replace('address 10.1.0.2', 'address 10.1.0.5'), ['peer-link-mirror 15:5']],
    [
      'sync destination',
      fw2.replace('Address 10.1.0.1', 'Address 10.1.0.5'),
      ['peer-link-mirror 15:5'],
    ],
    ['link kind', instance(2) + multicastSync, ['peer-link-kind 15:5']],
    [
      'commit timeout',
      fw2.replace('FTFW { }', 'FTFW { CommitTimeout 5 }'),
      ['peer-commit-timeout 14:5'],
    ],
    ['no Sync block', instance(2), ['peer-sync 13:1']],
  ])('finds a different %s', (_title, peer, expected) => {
    expect(compare(fw1, peer)).toEqual(expected);
  });

  test.each([
    ['192.0.2.1', '192.0.2.2', []],
    ['192.0.2.9', '192.0.2.2', ['peer-sync-sender 6:5']],
    ['192.0.2.1 2001:db8::1', '192.0.2.9', ['peer-sync-sender 6:5']],
  ])('on multicast, sync_peer of the peer is %s and here %s', (theirs, ours, expected) => {
    const node = (peers: string, own: number): string =>
      `global_defs {\n sync_peer ${peers}\n}\n${multicastSync.replace(
        'Interface',
        `IPv4_interface 192.0.2.${own}\nInterface`,
      )}`;
    expect(compare(node(ours, 1), node(theirs, 2))).toEqual(expected);
  });

  test.each([
    ['multicast group', multicastSync.replace('.50', '.51'), ['peer-link-group 8:5']],
    [
      'multicast port',
      multicastSync.replace('3780', '3790'),
      ['peer-port 7:5', 'peer-link-port 8:5'],
    ],
  ])('finds a different %s of the sync link', (_title, peer, expected) => {
    const base =
      'vrrp_instance A {\n interface e\n virtual_router_id 7\n priority 1\n virtual_ipaddress { 10.0.0.9 }\n}';
    const own = `${base.replaceAll('\n', '\n')}\n${multicastSync}`;
    expect(
      compare(own, own.replace('priority 1', 'priority 2').replace(multicastSync, peer)),
    ).toEqual(
      expected.map((place) =>
        place.replace(/(\d+):/, (_all, line: string) => `${Number(line) + 1}:`),
      ),
    );
  });

  test('finds a different VRRP group, and another instance on the peer', () => {
    const other = multicast(2).replace('priority', 'mcast_dst_ip 224.0.0.20\n    priority');
    expect(compare(multicast(1), other)).toEqual(['peer-group 2:5']);
    const second = multicast(2).replace('instance A', 'instance B').replace('_id 7', '_id 9');
    expect(compare(multicast(1), multicast(2) + second)).toEqual(['peer-missing 1:1']);
  });

  test('finds another password of the same length, and shows neither', () => {
    const withPassword = (own: number, password: string): string =>
      multicast(own).replace(
        'priority',
        `authentication {\n auth_type PASS\n auth_pass ${password}\n }\n priority`,
      );
    expect(compare(withPassword(1, 'one'), withPassword(2, 'two'))).toEqual(['peer-auth 4:5']);
    expect(compare(withPassword(1, 'one'), withPassword(2, 'one'))).toEqual([]);
    const said = load(withPassword(1, 'secretsecret')).problems.map(({ message }) => message);
    expect(said.join()).toContain('first 8 characters');
    expect(said.join()).not.toContain('secret');
  });

  test('finds weights that can never move the role, and no others', () => {
    const tracked = (own: number, weight: number, more = ''): string =>
      instance(own).replace(
        '    virtual_ipaddress',
        `${more}    track_interface {\n        lan weight ${weight}\n    }\n    virtual_ipaddress`,
      );
    // Priorities 10 and 20.
    expect(compare(tracked(2, -9), instance(1))).toEqual(['peer-weight 4:5']);
    expect(compare(tracked(2, -11), instance(1))).toEqual([]);
    expect(compare(instance(2), tracked(1, 9))).toEqual(['peer-weight 4:5']);
    expect(compare(tracked(2, -4), tracked(1, 8))).toEqual([]);
    const nopreempt = '    state BACKUP\n    nopreempt\n';
    expect(compare(tracked(2, -99, nopreempt), tracked(1, -99, nopreempt))).toEqual([
      'peer-weight 4:5',
    ]);
  });

  test('finds sync groups that differ', () => {
    const second = (own: number): string =>
      multicast(own).replace('e A {', 'e B {').replace('_id 7', '_id 9');
    const both = (own: number): string => multicast(own) + second(own);
    const groupAB = group.replace('{ A }', '{ A B }');
    expect(compare(both(1) + groupAB, both(2) + groupAB)).toEqual([]);
    expect(compare(both(1) + groupAB, both(2) + group)).toEqual(['peer-sync-group 17:1']);
    expect(compare(both(1) + groupAB, both(2))).toEqual(['peer-sync-group 17:1']);
  });
});
