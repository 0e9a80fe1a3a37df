/**
 * Forms in which keepalived 2.2.7 takes a value, and forms that it refuses: one table for the unit
 * test, which looks at what keepstate makes of them, and for the namespace test, in which
 * `keepalived -t` is the judge.
 */

export interface ValueForm {
  readonly name: string;
  /** Lines of the instance; `{dir}` is the directory of the file. */
  readonly instance?: string;
  /** Lines before the instance. */
  readonly root?: string;
  /** Files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether keepalived takes it without a complaint. */
  readonly isAccepted: boolean;
}

const accepted = (name: string, form: Omit<ValueForm, 'name' | 'isAccepted'>): ValueForm => ({
  name,
  ...form,
  isAccepted: true,
});
const refused = (name: string, form: Omit<ValueForm, 'name' | 'isAccepted'>): ValueForm => ({
  name,
  ...form,
  isAccepted: false,
});

const included = { 'included.conf': 'global_defs {\n router_id INCLUDED\n}\n' };

export const valueForms: readonly ValueForm[] = [
  accepted('a script with a user behind it', { instance: 'notify_master /bin/true root' }),
  accepted('a script with user and group', { instance: 'notify_master /bin/true root root' }),
  accepted('a script in single quotes', { instance: "notify_master '/bin/true a b' root" }),
  accepted('a checked script in single quotes', {
    root: "vrrp_script s {\n script '/bin/true a'\n}",
    instance: 'track_script {\n s\n}',
  }),
  accepted('an interval without a whole part', { instance: 'version 3\nadvert_int .5' }),
  accepted('an interval without decimals', { instance: 'advert_int 1.' }),
  accepted('a source address with a prefix length', { instance: 'mcast_src_ip 10.0.0.1/24' }),
  accepted('unicast addresses with a prefix length', {
    instance: 'unicast_src_ip 10.0.0.1/24\nunicast_peer {\n 10.0.0.2/24\n}',
  }),
  accepted('an include below a definition', {
    root: '$D={dir}\ninclude ${D}/included.conf',
    files: included,
  }),
  accepted('an include below _PWD', { root: 'include ${_PWD}/included.conf', files: included }),
  accepted('an include of a definition', {
    root: '$F=included.conf\ninclude $F',
    files: included,
  }),
  accepted('a comment line in a definition', {
    root: '$X=garp_master_delay 7 \\\n# a comment \\\ngarp_master_repeat 3',
    instance: '$X',
  }),
  accepted('a comment behind a line of a definition', {
    root: '$X=garp_master_delay 7 # a comment \\\ngarp_master_repeat 3',
    instance: '$X',
  }),
  refused('a comment that ends a definition', {
    root: '$X=garp_master_delay 7 \\\n# a comment\ngarp_master_repeat 3',
    instance: '$X',
  }),
  accepted('a sign of a comment within quotes', {
    instance: 'authentication {\n auth_type PASS\n auth_pass "a${_HASH}b${_BANG}"\n}',
  }),
  accepted('a sign of a comment outside quotes', {
    instance: 'authentication {\n auth_type PASS\n auth_pass a${_HASH}b\n}',
  }),
  accepted('a sequence with definitions', {
    root: '$A=1\n$B=2\n~SEQ(N,$A,$B) static_ipaddress { 10.9.9.${N}/32 dev lan }',
  }),
  accepted('a sequence with blanks', {
    root: '~SEQ ( N , 1 , 2 ) static_ipaddress { 10.9.9.${N}/32 dev lan }',
  }),
  accepted('a relative path of a track_file', {
    root: 'track_file tf {\n file state\n weight 1\n}',
    instance: 'track_file {\n tf\n}',
  }),
  accepted('a gateway with its family', {
    instance: 'virtual_routes {\n 10.7.0.0/16 via inet 10.0.0.2 dev lan\n}',
  }),
  accepted('an IPv6 gateway with its family', {
    instance: 'virtual_routes {\n 2001:db8::/32 via inet6 fe80::1 dev lan\n}',
  }),
  refused('an IPv6 gateway of an IPv4 route', {
    instance: 'virtual_routes {\n 10.7.0.0/16 via inet6 fe80::1 dev lan\n}',
  }),
  accepted('a protocol of a route by name', {
    instance: 'virtual_routes {\n 10.7.0.0/16 via 10.0.0.2 protocol static dev lan no_track\n}',
  }),
  accepted('a locked MTU', {
    instance: 'virtual_routes {\n 10.7.0.0/16 via 10.0.0.2 mtu lock 1400 dev lan\n}',
  }),
  accepted('rules that end the look-up', {
    instance:
      'virtual_rules {\n from 10.7.0.0/16 blackhole priority 5\n prohibit from 10.8.0.0/16 priority 6\n from 10.9.0.0/16 unreachable priority 7\n}',
  }),
  accepted('an undefined name', { instance: 'notify_master "/bin/echo ${UNDEFINED}"' }),
  accepted('keywords of balancing without effect', {
    root: 'global_defs {\n lvs_process_name x\n bfd_rlimit_rtime 1000\n checker_rlimit_rtime 1000\n}',
  }),
  accepted('two scripts of a kind, of which the first counts', {
    instance: 'notify_stop "/bin/true a"\nnotify_stop "/bin/false b"',
  }),
  ...[
    'preempt yes',
    'nopreempt 1',
    'state MASTER priority 200',
    'advert_int 1 second',
    'mcast_src_ip 10.0.0.1 (local)',
    'garp_master_delay 5 s',
    'check_unicast_src off\nunicast_peer {\n 10.0.0.2\n}',
    'dont_track_primary off',
    'promote_secondaries off',
    'track_src_ip 1',
    'kernel_rx_buf_size 0',
    'authentication x {\n auth_type PASS x\n auth_pass abc def\n}',
    'notify_master "/bin/true" root root more',
    'notify_master /bin/true nobody-of-this-name',
    'virtual_ipaddress_excluded {\n 224.0.0.5/32\n 224.0.0.6/32 autojoin\n 0.0.0.0\n}',
    'virtual_rules {\n from default to 10.7.0.0/16 table 5 priority 3\n}',
    'virtual_rules {\n from any to default table 5 priority 3\n}',
    'virtual_routes {\n 10.7.0.0/16 via 10.0.0.2 dev lan src 10.0.0.1\n}',
  ].map((instance) => accepted(`lines: ${instance}`, { instance })),
  ...[
    'global_defs x {\n router_id a b\n}',
    'global_defs {\n enable_script_security 1\n}',
    'global_defs {\n vrrp_skip_check_adv_addr off\n log_unknown_vrids no\n}',
    'global_defs {\n vrrp_check_unicast_src false\n}',
    'global_defs {\n notify_fifo {dir}/fifo root root\n vrrp_notify_fifo fifo\n}',
    'garp_group A {\n garp_interval 1 s\n interface lan x\n}',
    'vrrp_script a b {\n script /bin/true x y\n init_fail off\n}',
    'vrrp_script a {\n script "/bin/true" x\n interval 2 s\n}',
    'vrrp_script a {\n script /bin/true\n}\nvrrp_script a {\n script /bin/false\n}',
    'track_file a b {\n file /etc/hosts x\n}\ntrack_file a {\n file /etc/passwd\n}',
    'vrrp_track_process a {\n process b\n param_match\n full_command x\n}\nvrrp_track_process a {\n process c\n}',
    'interface_up_down_delays {\n lan\n wan 1 2 3\n}',
    'static_ipaddress { ~SEQ(N,1,2) 10.9.9.${N}/32 dev lan\n}',
    'static_ipaddress { @nowhere no address\n 10.9.9.1/32 dev lan }',
    'garp_group { garp_interval 1\n interfaces { lan wan}}',
    '$OFF=\\# no comment\nstatic_ipaddress {\n $OFF 10.9.9.1/32 dev lan\n}',
    '$X=garp_master_delay 7 \\ # a comment behind the backslash\ngarp_master_repeat 3',
  ].map((root) => accepted(`blocks: ${root}`, { root })),
  ...[
    'track_interface {\n wan\n wan\n}',
    'track_interface x {\n wan\n}',
    'virtual_rules {\n from 10.7.0.0/16 priority 3\n}',
    'virtual_routes {\n from 10.0.0.1 10.7.0.0/16 via 10.0.0.2 dev lan\n}',
    'vrrp_version 3',
    'strict_mode x',
  ].map((instance) => refused(`lines: ${instance}`, { instance })),
  ...[
    'global_defs {\n vrrp_mcast_group4 10.0.0.5\n}',
    'global_defs {\n vrrp_min_garp x\n}',
    'vrrp_sync_group G {\n group {\n }\n}',
    'vrrp_sync_group G H {\n group {\n  A\n }\n}',
  ].map((root) => refused(`blocks: ${root}`, { root })),
  refused('a scope of an IPv6 address', {
    root: 'static_ipaddress {\n fe80::1 dev lan scope link\n}',
  }),
  refused('an interface in two garp_groups', {
    root: 'garp_group {\n garp_interval 1\n interface lan\n}\ngarp_group {\n garp_interval 2\n interface lan\n}',
  }),
  refused('a weight beside priority 255', {
    instance: 'priority 255\ntrack_interface {\n wan weight 10\n}',
  }),
];

/** The file of a form in `directory`. */
export function formText({ instance = '', root = '' }: ValueForm, directory: string): string {
  const text = [
    root,
    'vrrp_instance A {',
    'interface lan',
    'virtual_router_id 5',
    'state BACKUP',
    instance.startsWith('priority') ? '' : 'priority 100',
    instance,
    'virtual_ipaddress {',
    '10.0.0.9/24',
    '}',
    '}',
    '',
  ];
  return text.join('\n').replaceAll('{dir}', directory);
}
