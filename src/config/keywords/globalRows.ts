/** `global_defs { }`: keepalived's, and behind them keepstate's own. */
import { acceptance } from '../acceptedWarnings.js';
import {
  anything,
  bare,
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
import { keepalived, keepstate, notSupported, since24, withoutEffect } from '../table/row.js';
import { addresses, notifyScript, oneOrTwoWords, words } from '../table/wordTypes.js';
import { fifoEntry } from './fifoEntry.js';
import { mailRows } from './mailRows.js';
import { keyLine } from './keyEntry.js';
import { syncKeyRule } from '../keyText.js';
import { portOrOff } from './portOrOff.js';
import { garpRows } from './garpRows.js';
import { firstCounts } from './instanceRows.js';
import { defaultControlPath } from '../nodeSettings.js';
import { globalRowsWithoutEffect } from './globalRowsWithoutEffect.js';

const seconds = 'seconds';

/** keepstate's own keywords. */
export const keepstateRows = {
  control_socket: keepstate(path, 'UNIX socket of keepstate status and the other commands', {
    default: defaultControlPath,
  }),
  control_read_group: keepstate(
    word,
    'members of this group may ask for status, history, events and stats (read.sock beside the control socket)',
    { default: 'none' },
  ),
  state_directory: keepstate(path, 'maintenance and the history survive a restart here', {
    default: '/var/lib/keepstate',
  }),
  pid_file: keepstate(
    path,
    'the process id for tools that look for it, for example /run/keepalived.pid',
    {
      default: 'none',
    },
  ),
  run_user: keepstate(
    word,
    'the daemon runs as this user, with the capabilities that it needs and none beside them',
    { default: 'whoever starts it' },
  ),
  node_name: keepstate(word, 'the name that the peer and status show', {
    default: 'router_id, else the host name',
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
  conntrack_sync_script: keepstate(
    words('SCRIPT'),
    'notify scripts that only tell conntrackd of the role: they bind it, and are not run',
    { default: 'primary-backup.sh' },
  ),
  sync_peer: keepstate(
    addresses,
    'who else sends on Multicast sync links; UDP and TCP links name their peer themselves',
    {
      default:
        "up to four senders of the interface's network; role changes only from routers that are heard",
      repeats: true,
    },
  ),
  sync_key: keepstate(
    keyLine(syncKeyRule),
    'a key that both nodes have: the sync links and the peer channel are sealed with it',
    { repeats: true },
  ),
  sync_active_key: keepstate(integer(1, 255), 'the key that seals; all others are accepted too', {
    default: 'none, required beside sync_key',
  }),
  sync_auth: keepstate(
    choice(['enforce', 'permissive']),
    'permissive: a peer that has not shown a key yet is spoken to, and believed, without',
    { default: 'enforce' },
  ),
  sync_encrypt: keepstate(flag, 'off: sealed datagrams can be read, but neither made nor changed', {
    default: 'on',
  }),
  peer_multihop: keepstate(
    flag,
    'on: routers stand between the nodes, so datagrams of the peer with less than TTL 255 are taken; needs sync_key',
    { default: 'off' },
  ),
  accept_any_sync_source: keepstate(
    flag,
    'accept sync datagrams from any address, as conntrackd does; never on the peer channel',
    {
      default: 'off',
    },
  ),
  accept_warning: keepstate(
    acceptance,
    'warnings of this code are known: check counts them as accepted, and they are not reported otherwise',
    { repeats: true },
  ),
  return_role: keepstate(
    flag,
    'an upgrade of the package, which hands the role over, lets this node take it back afterwards',
    { default: 'off: the role stays where it is' },
  ),
  log_format: keepstate(
    choice(['text', 'json']),
    'json: each line of the log on stderr and in LogFile is one JSON object',
    { default: 'text' },
  ),
  reach_hold: keepstate(
    decimal(0, 86_400),
    'a lost vrrp_track_target that moved the role goes on counting at least so long',
    { unit: seconds, default: '30' },
  ),
  history_size: keepstate(integer(1, 1_000_000), 'transitions kept for keepstate history', {
    unit: 'entries',
    default: '1000',
  }),
} as const;

export const globalRows = {
  router_id: keepalived(word, 'name of this router in messages', { default: 'the host name' }),
  script_user: keepalived(oneOrTwoWords('USER [GROUP]'), 'who runs scripts', {
    default: 'user keepalived_script if there is one, else root',
  }),
  enable_script_security: keepalived(bare, "refuse root's scripts that others can replace", {
    default: 'off',
  }),
  process_name: keepalived(
    word,
    'name of the process in ps and /proc, for tools that look for it',
    {
      default: 'keepstate',
    },
  ),
  vrrp_version: keepalived(choice(['2', '3']), 'VRRP version of instances', { default: '2' }),
  vrrp_strict: keepalived(bare, 'strict_mode of instances', { default: 'off' }),
  ...garpRows('vrrp_'),
  vrrp_garp_interval: keepalived(decimal(0, 3_600), 'pause between ARP packets', {
    unit: seconds,
    default: '0',
  }),
  vrrp_gna_interval: keepalived(decimal(0, 3_600), 'pause between neighbour advertisements', {
    unit: seconds,
    default: '0',
  }),
  vrrp_priority: keepalived(integer(-20, 19), 'nice value of the thread that serves VRRP', {
    default: "the process's, and never worse than that of the sync worker",
  }),
  vrrp_rt_priority: keepalived(integer(1, 99), 'real-time priority (RR) of that thread', {
    default: 'none, or one above that of the sync worker (Scheduler)',
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
  vrrp_skip_check_adv_addr: keepalived(bare, 'skip_check_adv_addr of instances', {
    default: 'off',
  }),
  vrrp_check_unicast_src: keepalived(bare, 'check_unicast_src of instances', { default: 'off' }),
  vrrp_mcast_group4: keepalived(ipv4Address, 'multicast group of IPv4', { default: '224.0.0.18' }),
  vrrp_mcast_group6: keepalived(ipv6Address, 'multicast group of IPv6', { default: 'ff02::12' }),
  dynamic_interfaces: keepalived(
    words('[allow_if_changes]'),
    'no effect: interfaces may always appear later',
    {
      default: 'off',
    },
  ),
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
  notify_fifo: keepalived(fifoEntry, 'FIFO of every transition', firstCounts),
  notify_fifo_script: keepalived(notifyScript, 'started as reader of notify_fifo', firstCounts),
  vrrp_notify_fifo: keepalived(fifoEntry, 'the same, of VRRP alone', firstCounts),
  vrrp_notify_fifo_script: keepalived(
    notifyScript,
    'started as reader of vrrp_notify_fifo',
    firstCounts,
  ),
  vrrp_notify_priority_changes: keepalived(flag, 'notify_priority_changes of instances', {
    default: 'off',
  }),
  fifo_write_vrrp_states_on_reload: keepalived(bare, 'repeat all states after a reload', {
    default: 'off',
  }),
  startup_script: keepalived(notifyScript, 'run before anything starts', firstCounts),
  startup_script_timeout: keepalived(integer(1, 86_400), 'its time limit', {
    unit: seconds,
    default: '10',
  }),
  shutdown_script: keepalived(notifyScript, 'run after everything stopped', firstCounts),
  shutdown_script_timeout: keepalived(integer(1, 86_400), 'its time limit', {
    unit: seconds,
    default: '10',
  }),
  log_unknown_vrids: keepalived(bare, 'log advertisements for unknown virtual routers', {
    default: 'off',
  }),
  ...mailRows,
  ...keepstateRows,
  ...globalRowsWithoutEffect,
  v3_checksum_as_v2: notSupported(
    since24(keepalived(anything, 'RFC 9568 checksum')),
    'version 2, or peers with the pseudo-header checksum (keepalived 2.2.7)',
  ),
  vrrp_owner_ignore_adverts: notSupported(
    since24(keepalived(anything, 'address owners drop advertisements')),
    'the behaviour of keepalived 2.2.7, or a priority below 255',
  ),
} as const;
