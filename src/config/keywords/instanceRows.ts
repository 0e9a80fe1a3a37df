/** `vrrp_instance NAME { }`. */
import {
  anything,
  bare,
  choice,
  decimal,
  flag,
  integer,
  interfaceName,
  ipAddress,
  ipAddressOrPrefix,
  word,
} from '../table/scalarTypes.js';
import { smtpAlert } from './mailRows.js';
import { keepalived, keepstate, notSupported, since24, withoutEffect } from '../table/row.js';
import { block, list, nameless, notifyScript, notifyScriptOrNothing } from '../table/wordTypes.js';
import { addressItems } from './addressEntry.js';
import { garpRows } from './garpRows.js';
import { hmacRows } from './hmacRows.js';
import { peerItems } from './peerEntry.js';
import { routeItems } from './routeEntry.js';
import { ruleItems } from './ruleEntry.js';
import { trackingRows } from './tracking.js';

const realMac = 'VIPs on the real interface, with the gratuitous ARP that is sent for them';

export const authenticationRows = {
  auth_type: keepalived(choice(['PASS', 'AH']), 'how advertisements are authenticated (version 2)'),
  auth_pass: keepalived(word, 'the password; 8 characters travel, readable by all', {
    unit: 'up to 8 characters',
  }),
} as const;

/** keepalived 2.2.7 keeps the first script and FIFO of a kind and drops further ones. */
export const firstCounts = { counts: 'first' } as const;

/** Notify lines that instances and groups share. */
export const notifyRows = {
  notify_master: keepalived(
    notifyScript,
    'run on becoming MASTER, after the VIPs are up',
    firstCounts,
  ),
  notify_backup: keepalived(notifyScript, 'run on becoming BACKUP', firstCounts),
  notify_fault: keepalived(notifyScript, 'run on entering FAULT', firstCounts),
  notify_stop: keepalived(notifyScript, 'run when the daemon stops', firstCounts),
  notify: keepalived(
    notifyScript,
    'run on each of these, with kind, name, state and priority behind it',
    firstCounts,
  ),
  notify_priority_changes: keepalived(flag, 'write priority changes to the FIFO', {
    default: 'off',
  }),
  smtp_alert: smtpAlert,
} as const;

export const instanceRows = {
  state: keepalived(
    word,
    'the role at start: MASTER or BACKUP; it decides little (see nopreempt)',
    {
      default: 'MASTER with priority 255, else BACKUP',
    },
  ),
  interface: keepalived(interfaceName, 'where VRRP runs'),
  virtual_router_id: keepalived(integer(1, 255), 'the same on all routers of this virtual router', {
    default: 'none, required',
  }),
  priority: keepalived(integer(1, 255), 'the highest becomes MASTER; 255 owns the addresses', {
    default: '100 (255 with state MASTER)',
  }),
  advert_int: keepalived(decimal(0.01, 255), 'advertisement interval; whole seconds in version 2', {
    unit: 'seconds',
    default: '1',
  }),
  version: keepalived(choice(['2', '3']), 'VRRP version', { default: 'vrrp_version; 3 for IPv6' }),
  virtual_ipaddress: keepalived(list(addressItems), 'the addresses that move, and are advertised', {
    repeats: true,
  }),
  virtual_ipaddress_excluded: keepalived(
    list(addressItems),
    'addresses that move, but are not advertised; of either family',
    { repeats: true },
  ),
  virtual_routes: keepalived(list(routeItems), 'routes that move with the addresses', {
    repeats: true,
  }),
  virtual_rules: keepalived(list(ruleItems), 'routing rules that move with the addresses', {
    repeats: true,
  }),
  authentication: keepalived(block(authenticationRows, nameless), 'password of version 2'),
  auth_hmac: since24(keepalived(block(hmacRows, nameless), 'signed advertisements, with keys')),
  unicast_src_ip: keepalived(ipAddressOrPrefix, 'source address towards unicast_peer'),
  unicast_peer: keepalived(list(peerItems), 'advertisements go to these instead of multicast', {
    repeats: true,
  }),
  mcast_src_ip: keepalived(ipAddressOrPrefix, 'source address of multicast advertisements'),
  mcast_dst_ip: keepalived(ipAddress, 'multicast group', { default: 'vrrp_mcast_group4, _group6' }),
  track_src_ip: keepalived(bare, 'FAULT while the source address is absent', { default: 'off' }),
  check_unicast_src: keepalived(bare, 'accept unicast only from unicast_peer', {
    default: 'vrrp_check_unicast_src',
  }),
  unicast_ttl: keepalived(integer(0, 255), 'TTL of unicast advertisements', { default: '255' }),
  unicast_fault_no_peer: keepalived(bare, 'unicast_src_ip without unicast_peer is refused', {
    default: 'off',
  }),
  preempt: keepalived(bare, 'a higher priority takes the role from a living MASTER', {
    negation: 'nopreempt',
    default: 'preempt',
  }),
  preempt_delay: keepalived(decimal(0, 1000), 'how long a lower MASTER is left alone after start', {
    unit: 'seconds',
    default: '0',
  }),
  down_timer_adverts: keepalived(integer(1, 100), 'missed advertisements until takeover', {
    default: 'vrrp_down_timer_adverts',
  }),
  ...notifyRows,
  notify_deleted: keepalived(
    notifyScriptOrNothing,
    'run when a reload removed the instance, which then reports DELETED; without it: FAULT',
    firstCounts,
  ),
  notify_master_rx_lower_pri: keepalived(
    notifyScript,
    'run when a MASTER hears a lower priority',
    firstCounts,
  ),
  ...trackingRows,
  ...garpRows(''),
  garp_extra_if: withoutEffect(
    keepalived(anything, 'periodic ARP on other interfaces', { aliases: ['vmac_garp_intvl'] }),
    'garp_master_refresh announces every VIP on its own interface',
  ),
  dont_track_primary: keepalived(bare, "ignore the link state of the instance's interface", {
    default: 'off',
  }),
  accept: keepalived(bare, 'VIPs answer while MASTER', {
    negation: 'no_accept',
    default: 'accept',
  }),
  strict_mode: keepalived(flag, 'hold to the RFC: no authentication, no unicast', {
    default: 'vrrp_strict',
  }),
  skip_check_adv_addr: keepalived(
    flag,
    'do not compare the address list of the same master again',
    {
      default: 'vrrp_skip_check_adv_addr',
    },
  ),
  promote_secondaries: keepalived(bare, 'set promote_secondaries on the interface', {
    default: 'off',
  }),
  lower_prio_no_advert: keepalived(flag, 'a MASTER stays silent towards a lower priority', {
    default: 'vrrp_lower_prio_no_advert',
  }),
  higher_prio_send_advert: keepalived(flag, 'one last advertisement before stepping down', {
    default: 'vrrp_higher_prio_send_advert',
  }),
  kernel_rx_buf_size: keepalived(integer(0, 1_073_741_824), 'receive buffer of the socket', {
    unit: 'bytes',
  }),
  conntrack_sync: keepstate(flag, 'this instance drives the connection-tracking synchronisation', {
    default: 'by primary-backup.sh lines; else the only instance',
  }),
  no_virtual_ipaddress: since24(keepalived(flag, 'having no VIP is meant', { default: 'off' })),
  use_vmac: notSupported(keepalived(anything, 'virtual MAC address'), realMac),
  vmac_xmit_base: notSupported(keepalived(anything, 'virtual MAC address'), realMac),
  use_vmac_addr: notSupported(keepalived(anything, 'virtual MAC address'), realMac),
  use_ipvlan: notSupported(keepalived(anything, 'ipvlan interface'), realMac),
  vrf: notSupported(keepalived(anything, 'VRF'), 'an interface inside the VRF, with interface'),
  old_unicast_checksum: withoutEffect(
    keepalived(anything, 'checksum of old peers in version 3'),
    'only the present checksum is sent and accepted',
  ),
  native_ipv6: withoutEffect(
    keepalived(anything, 'old IPv6 switch'),
    'the first VIP decides the family',
  ),
  linkbeat_use_polling: withoutEffect(
    keepalived(anything, 'link polling'),
    'the kernel reports link changes by itself',
  ),
  lvs_sync_daemon_interface: withoutEffect(
    keepalived(anything, 'IPVS sync daemon'),
    'keepstate runs no IPVS',
  ),
  debug: withoutEffect(keepalived(anything, 'debug level'), 'use run --log-level'),
  v3_checksum_as_v2: notSupported(
    since24(keepalived(anything, 'RFC 9568 checksum')),
    'version 2, or peers with the pseudo-header checksum (keepalived 2.2.7)',
  ),
  timer_expired_backup: withoutEffect(
    since24(keepalived(anything, 'yield after a stall', { aliases: ['thread_timer_expired'] })),
    'waiting advertisements are always read before an overdue timer is honoured',
  ),
  owner_ignore_adverts: notSupported(
    since24(keepalived(anything, 'address owner drops advertisements')),
    'the behaviour of keepalived 2.2.7, or a priority below 255',
  ),
} as const;
