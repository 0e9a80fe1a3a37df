/** `global_defs { }`: keepalived's, and behind them keepstate's own. */
import {
  anything,
  choice,
  decimal,
  flag,
  integer,
  ipv4Address,
  ipv6Address,
  interfaceName,
  path,
  word,
} from '../table/scalarTypes.js';
import {
  keepalived,
  keepstate,
  notSupported,
  since24,
  withoutEffect,
  type Row,
} from '../table/row.js';
import { notifyScript, oneOrTwoWords, words } from '../table/wordTypes.js';
import { portOrOff } from './portOrOff.js';
import { garpRows } from './garpRows.js';

const seconds = 'seconds';

/** Rows of keywords that are accepted and do nothing here, all for one reason. */
function allWithoutEffect<const N extends string>(
  names: readonly N[],
  help: string,
  reason: string,
): Readonly<Record<N, Row<true>>> {
  const entries = names.map((name) => [name, withoutEffect(keepalived(anything, help), reason)]);
  // The keys are `names`.
  return Object.fromEntries(entries) as Record<N, Row<true>>;
}

/** keepstate's own keywords. */
export const keepstateRows = {
  control_socket: keepstate(path, 'UNIX socket of keepstate status and the other commands', {
    default: '/run/keepstate/control.sock',
  }),
  state_directory: keepstate(path, 'role and maintenance survive a restart here', {
    default: '/var/lib/keepstate',
  }),
  node_name: keepstate(word, 'the name that the peer and status show', {
    default: 'the host name',
  }),
  commit_before_vip: keepstate(
    flag,
    'take over: connections first, then addresses; off: the order of keepalived and conntrackd',
    {
      default: 'on',
    },
  ),
  commit_deadline: keepstate(
    integer(0, 60_000),
    'VIPs wait so long without progress of the commit',
    {
      unit: 'milliseconds',
      default: '1000',
    },
  ),
  commit_limit: keepstate(integer(0, 600_000), 'VIPs wait no longer than this in all', {
    unit: 'milliseconds',
    default: '10000',
  }),
  preempt_sync_timeout: keepstate(
    decimal(0, 86_400),
    'preemption waits so long for the connections of the peer',
    {
      unit: seconds,
      default: '60',
    },
  ),
  peer_port: keepstate(portOrOff, "UDP port of keepstate's own peer channel; off: none", {
    default: 'the sync port + 1',
  }),
  accept_any_sync_source: keepstate(
    flag,
    'accept sync datagrams from any address, as conntrackd does',
    {
      default: 'off',
    },
  ),
  history_size: keepstate(integer(1, 1_000_000), 'transitions kept for keepstate history', {
    unit: 'entries',
    default: '1000',
  }),
} as const;

const mail = allWithoutEffect(
  [
    ...([
      'notification_email',
      'notification_email_from',
      'smtp_server',
      'smtp_helo_name',
    ] as const),
    ...(['smtp_connect_timeout', 'smtp_alert', 'smtp_alert_vrrp', 'smtp_alert_checker'] as const),
    ...(['no_email_faults', 'no_checker_emails'] as const),
  ],
  'mail',
  'keepstate sends no mail; use notify',
);

const firewall = allWithoutEffect(
  [
    ...([
      'vrrp_iptables',
      'vrrp_ipsets',
      'nftables',
      'nftables_priority',
      'nftables_ifindex',
    ] as const),
    ...(['nftables_counters', 'disable_local_igmp'] as const),
  ],
  'firewall rules of no_accept and VMAC',
  'keepstate makes no firewall rules of its own',
);

const scheduling = allWithoutEffect(
  [
    ...([
      'max_auto_priority',
      'min_auto_priority_delay',
      'vrrp_priority',
      'vrrp_rt_priority',
    ] as const),
    ...(['vrrp_no_swap', 'vrrp_cpu_affinity', 'vrrp_rlimit_rttime', 'vrrp_rlimit_rtime'] as const),
  ],
  'scheduling of the process',
  'the systemd unit sets scheduling (Nice, CPUSchedulingPolicy, CPUAffinity)',
);

const buffers = allWithoutEffect(
  [
    ...(['vrrp_netlink_cmd_rcv_bufs', 'vrrp_netlink_cmd_rcv_bufs_force'] as const),
    ...(['vrrp_netlink_monitor_rcv_bufs', 'vrrp_netlink_monitor_rcv_bufs_force'] as const),
    ...(['process_monitor_rcv_bufs', 'process_monitor_rcv_bufs_force'] as const),
    ...(['vrrp_rx_bufs_policy', 'vrrp_rx_bufs_multiplier'] as const),
  ],
  'socket buffers',
  'buffers are sized by keepstate; per instance: kernel_rx_buf_size',
);

const snmp = allWithoutEffect(
  [
    ...([
      'enable_snmp_vrrp',
      'enable_snmp_keepalived',
      'enable_snmp_checker',
      'enable_snmp_rfc',
    ] as const),
    ...([
      'enable_snmp_rfcv2',
      'enable_snmp_rfcv3',
      'enable_traps',
      'snmp_socket',
      'enable_dbus',
    ] as const),
    ...(['dbus_service_name', 'dbus_no_interface_name', 'snmp_vs_stats_update_interval'] as const),
    ...(['snmp_rs_stats_update_interval'] as const),
  ],
  'SNMP and D-Bus',
  'use keepstate status --json and keepstate events',
);

const processes = allWithoutEffect(
  [
    ...(['process_names', 'process_name', 'vrrp_process_name', 'checker_process_name'] as const),
    ...([
      'bfd_process_name',
      'umask',
      'random_seed',
      'data_use_instance',
      'use_symlink_paths',
    ] as const),
    ...([
      'iproute_usr_dir',
      'iproute_etc_dir',
      'set_supplementary_groups',
      'config_save_dir',
    ] as const),
    ...(['tmp_config_directory', 'vmac_prefix', 'vmac_addr_prefix', 'include_check'] as const),
  ],
  'details of the process',
  'keepstate is one process without children of its own',
);

const reloading = allWithoutEffect(
  ['reload_check_config', 'reload_time_file', 'reload_repeat', 'reload_file'],
  'reload control',
  'keepstate reload always checks first, and applies completely or not at all',
);

const dumps = allWithoutEffect(
  ['json_version', 'state_dump_file', 'stats_dump_file', 'json_dump_file'],
  'dump files',
  'use keepstate status --json',
);

const otherSystems = allWithoutEffect(
  [
    ...([
      'lvs_sync_daemon',
      'lvs_flush',
      'lvs_flush_onstop',
      'lvs_flush_on_stop',
      'lvs_timeouts',
    ] as const),
    ...(['lvs_notify_fifo', 'lvs_notify_fifo_script', 'lvs_netlink_cmd_rcv_bufs'] as const),
    ...([
      'lvs_netlink_monitor_rcv_bufs',
      'rs_init_notifies',
      'nftables_ipvs',
      'nftables_ipvs_priority',
    ] as const),
    ...([
      'checker_priority',
      'checker_rt_priority',
      'checker_no_swap',
      'checker_cpu_affinity',
    ] as const),
    ...([
      'checker_rlimit_rttime',
      'checker_log_all_failures',
      'bfd_priority',
      'bfd_rt_priority',
    ] as const),
    ...(['bfd_no_swap', 'bfd_cpu_affinity', 'bfd_rlimit_rttime'] as const),
  ],
  'load balancing and BFD',
  'keepstate runs no IPVS and no BFD',
);

export const globalRows = {
  router_id: keepalived(word, 'name of this router in messages', { default: 'the host name' }),
  script_user: keepalived(oneOrTwoWords('USER [GROUP]'), 'who runs scripts', {
    default: 'user keepalived_script if there is one, else root',
  }),
  enable_script_security: keepalived(flag, "refuse root's scripts that others can replace", {
    default: 'off',
  }),
  vrrp_version: keepalived(choice(['2', '3']), 'VRRP version of instances', { default: '2' }),
  vrrp_strict: keepalived(flag, 'strict_mode of instances', { default: 'off' }),
  ...garpRows('vrrp_'),
  vrrp_garp_interval: keepalived(decimal(0, 3_600), 'pause between ARP packets', {
    unit: seconds,
    default: '0',
  }),
  vrrp_gna_interval: keepalived(decimal(0, 3_600), 'pause between neighbour advertisements', {
    unit: seconds,
    default: '0',
  }),
  vrrp_min_garp: keepalived(flag, 'one packet, no second block', { default: 'off' }),
  vrrp_garp_extra_if: withoutEffect(
    keepalived(anything, 'periodic ARP on other interfaces', { aliases: ['vrrp_vmac_garp_intvl'] }),
    'vrrp_garp_master_refresh announces every VIP on its own interface',
  ),
  vrrp_lower_prio_no_advert: keepalived(flag, 'lower_prio_no_advert of instances', {
    default: 'off',
  }),
  vrrp_higher_prio_send_advert: keepalived(flag, 'higher_prio_send_advert of instances', {
    default: 'off',
  }),
  vrrp_down_timer_adverts: keepalived(integer(1, 100), 'down_timer_adverts of instances', {
    default: '3',
  }),
  vrrp_skip_check_adv_addr: keepalived(flag, 'skip_check_adv_addr of instances', {
    default: 'off',
  }),
  vrrp_check_unicast_src: keepalived(flag, 'check_unicast_src of instances', { default: 'off' }),
  vrrp_mcast_group4: keepalived(ipv4Address, 'multicast group of IPv4', { default: '224.0.0.18' }),
  vrrp_mcast_group6: keepalived(ipv6Address, 'multicast group of IPv6', { default: 'ff02::12' }),
  dynamic_interfaces: keepalived(words('[allow_if_changes]'), 'interfaces may appear later', {
    default: 'an interface that is missing at start is reported; its instance waits in FAULT',
  }),
  default_interface: keepalived(interfaceName, 'interface of static addresses', {
    default: 'eth0',
  }),
  vrrp_startup_delay: keepalived(decimal(0, 86_400), 'timers start so late', {
    unit: seconds,
    default: '0',
  }),
  vrrp_delay_after_boot: notSupported(
    since24(keepalived(anything, 'delay counted from boot')),
    'vrrp_startup_delay, or ordering in the systemd unit',
  ),
  notify_fifo: keepalived(path, 'FIFO of every transition'),
  notify_fifo_script: keepalived(notifyScript, 'started as reader of notify_fifo'),
  vrrp_notify_fifo: keepalived(path, 'the same, of VRRP alone'),
  vrrp_notify_fifo_script: keepalived(notifyScript, 'started as reader of vrrp_notify_fifo'),
  vrrp_notify_priority_changes: keepalived(flag, 'notify_priority_changes of instances', {
    default: 'off',
  }),
  fifo_write_vrrp_states_on_reload: keepalived(flag, 'repeat all states after a reload', {
    default: 'off',
  }),
  startup_script: keepalived(notifyScript, 'run before anything starts'),
  startup_script_timeout: keepalived(integer(1, 86_400), 'its time limit', {
    unit: seconds,
    default: '10',
  }),
  shutdown_script: keepalived(notifyScript, 'run after everything stopped'),
  shutdown_script_timeout: keepalived(integer(1, 86_400), 'its time limit', {
    unit: seconds,
    default: '10',
  }),
  log_unknown_vrids: keepalived(flag, 'log advertisements for unknown virtual routers', {
    default: 'off',
  }),
  ...keepstateRows,
  ...mail,
  ...firewall,
  ...scheduling,
  ...buffers,
  ...snmp,
  ...processes,
  ...reloading,
  ...dumps,
  ...otherSystems,
  v3_checksum_as_v2: notSupported(
    since24(keepalived(anything, 'RFC 9568 checksum')),
    'version 2, or peers with the pseudo-header checksum (keepalived 2.2.7)',
  ),
  vrrp_owner_ignore_adverts: notSupported(
    since24(keepalived(anything, 'address owners drop advertisements')),
    'the behaviour of keepalived 2.2.7, or a priority below 255',
  ),
} as const;
