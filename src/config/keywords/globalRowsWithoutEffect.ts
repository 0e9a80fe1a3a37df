/**
 * `global_defs` of keepalived that keepstate accepts and has no use for, each group with its
 * reason.
 */
import { anything } from '../table/scalarTypes.js';
import { keepalived, withoutEffect, type Row } from '../table/row.js';

/** Rows of keywords that are accepted and do nothing here, all for one reason. */
function allWithoutEffect<const N extends string>(
  names: readonly N[],
  help: string,
  reason: string,
  loses?: string,
): Readonly<Record<N, Row<true>>> {
  const entries = names.map((name) => [
    name,
    withoutEffect(keepalived(anything, help), reason, loses),
  ]);
  // The keys are `names`.
  return Object.fromEntries(entries) as Record<N, Row<true>>;
}

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
  'the rules of no_accept stand in a table of our own, inet keepstate_vrrp; nothing else makes rules',
);

const scheduling = allWithoutEffect(
  [
    ...(['max_auto_priority', 'min_auto_priority_delay'] as const),
    ...(['vrrp_no_swap', 'vrrp_cpu_affinity', 'vrrp_rlimit_rttime', 'vrrp_rlimit_rtime'] as const),
  ],
  'scheduling of the process',
  'vrrp_rt_priority and vrrp_priority set it; the systemd unit sets CPUAffinity, MemorySwapMax and LimitRTTIME',
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

const snmpInstead =
  'use an alert block (config/snmp-trap.sh sends traps), keepstate status --json or the http block';

const snmp = allWithoutEffect(
  [
    ...(['enable_snmp_vrrp', 'enable_snmp_keepalived', 'enable_snmp_checker'] as const),
    ...(['enable_snmp_rfc', 'enable_snmp_rfcv2', 'enable_snmp_rfcv3', 'enable_traps'] as const),
    'enable_dbus',
  ],
  'SNMP and D-Bus',
  snmpInstead,
  'answers over SNMP or D-Bus',
);

const snmpDetails = allWithoutEffect(
  [
    'snmp_socket',
    ...(['dbus_service_name', 'dbus_no_interface_name', 'snmp_vs_stats_update_interval'] as const),
    ...(['snmp_rs_stats_update_interval'] as const),
  ],
  'SNMP and D-Bus',
  snmpInstead,
);

const processes = allWithoutEffect(
  [
    ...(['process_names', 'vrrp_process_name', 'checker_process_name'] as const),
    ...(['lvs_process_name', 'bfd_process_name'] as const),
  ],
  'titles of processes',
  'keepstate is one process, which process_name names',
);

const virtualMacs = allWithoutEffect(
  ['vmac_prefix', 'vmac_addr_prefix'],
  'names of VMAC interfaces',
  'keepstate makes no VMAC interfaces (use_vmac is refused)',
);

const scriptDetails = allWithoutEffect(
  ['umask', 'set_supplementary_groups', 'use_symlink_paths'],
  'details of how scripts run',
  'scripts run with umask 0177, one user and one group, and a path may lead through links',
);

const files = allWithoutEffect(
  [
    ...(['config_save_dir', 'tmp_config_directory', 'data_use_instance'] as const),
    ...(['iproute_usr_dir', 'iproute_etc_dir'] as const),
  ],
  'where files stand',
  'keepstate keeps no copy of the configuration and knows the names of tables and scopes itself',
);

const including = allWithoutEffect(
  ['include_check'],
  'what an include must find',
  'use includer, includem, includew, includeb or includea where it matters',
);

const randomness = allWithoutEffect(
  ['random_seed'],
  'start of the random numbers',
  "random numbers come from the system's generator",
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
    ...(['lvs_netlink_cmd_rcv_bufs_force', 'lvs_netlink_monitor_rcv_bufs_force'] as const),
    'nftables_ipvs_start_fwmark',
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
    ...(['bfd_no_swap', 'bfd_cpu_affinity', 'bfd_rlimit_rttime', 'bfd_rlimit_rtime'] as const),
    'checker_rlimit_rtime',
  ],
  'load balancing and BFD',
  'keepstate runs no IPVS and no BFD',
);

export const globalRowsWithoutEffect = {
  ...firewall,
  ...scheduling,
  ...buffers,
  ...snmp,
  ...snmpDetails,
  ...processes,
  ...virtualMacs,
  ...scriptDetails,
  ...files,
  ...including,
  ...randomness,
  ...reloading,
  ...dumps,
  ...otherSystems,
} as const;
