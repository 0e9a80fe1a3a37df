/**
 * Every code that a warning can have. Codes are stable: operators write them behind
 * `accept_warning`, and programs read them from `check --json`.
 */

interface WarningKind {
  /** For the reference page. */
  readonly meaning: string;
  /**
   * `drops`: the line does nothing and is commented out. `accepts`: the line must stay, because a
   * peer that is not migrated yet goes by it. Absent: the warning brings its own fix, or is left to
   * the operator.
   */
  readonly migrate?: 'drops' | 'accepts';
}

const warningKinds = {
  'buffer-growth': { meaning: 'NetlinkBufferSize is above NetlinkBufferSizeMaxGrowth' },
  'clear-text-password': { meaning: 'auth_type PASS can be read on the wire', migrate: 'accepts' },
  'comment-inside-word': { meaning: 'a comment character cuts a word' },
  'default-mode': { meaning: 'Sync has no Mode; FTFW is taken' },
  'default-priority': { meaning: 'an instance has no priority; 100 is taken' },
  'default-rule-priority': { meaning: 'a routing rule has no priority; one is taken' },
  'definition-not-replaced': { meaning: '$NAME stands directly before another character' },
  'duplicate-address': {
    meaning: 'a virtual address stands twice, and travels twice',
    migrate: 'accepts',
  },
  'equal-priorities': { meaning: '--peer: both nodes have the same priority' },
  'family-not-accepted': {
    meaning: 'Address Accept has no address of a family, so none of it is replicated',
    migrate: 'accepts',
  },
  'garp-group-twice': { meaning: 'an interface stands in two garp_groups; the first one counts' },
  'fast-adverts': {
    meaning: 'advert_int is below 50 ms, and VRRP has no real-time scheduling (vrrp_rt_priority)',
    migrate: 'accepts',
  },
  'group-priorities': {
    meaning: 'members of a sync group have different priorities',
    migrate: 'accepts',
  },
  'hash-limit': { meaning: "HashLimit is below this machine's nf_conntrack_max" },
  'include-empty': { meaning: 'no file matches the pattern of an include' },
  'mail-incomplete': {
    meaning: 'smtp_alert without smtp_server or notification_email sends nothing',
    migrate: 'accepts',
  },
  'missing-interface': { meaning: 'this machine has no such interface' },
  'missing-script': { meaning: 'this machine has no such script' },
  'missing-user': { meaning: 'this machine has no such user' },
  'no-address': { meaning: 'an instance has no virtual address' },
  'no-authentication': {
    meaning: 'an authentication block that authenticates nothing',
    migrate: 'drops',
  },
  'no-binding': { meaning: 'nothing says which role takes connections over' },
  'no-break-space': { meaning: 'no-break spaces are taken as blanks' },
  'no-key': {
    meaning: 'no sync_key, and others than the peer can be in the network of a sync link',
    migrate: 'accepts',
  },
  'no-effect': { meaning: 'the keyword does nothing here; the message says why', migrate: 'drops' },
  'no-sync-peer': {
    meaning: 'sync_peer does not say who sends on a Multicast sync link',
    migrate: 'accepts',
  },
  'script-calls-conntrackd': {
    meaning: 'a notify script calls conntrackd, whose work keepstate does itself',
    migrate: 'accepts',
  },
  'no-time-service': {
    meaning: 'auth_hmac with anti_replay time, and no program keeps the clock of this machine',
    migrate: 'accepts',
  },
  'nopreempt-disarmed': {
    meaning: 'nopreempt does nothing beside state MASTER or priority 255',
    migrate: 'drops',
  },
  'not-executable': { meaning: 'a script of this machine cannot be executed' },
  'old-name': { meaning: 'an old name of a Mode' },
  'out-of-range': { meaning: 'a number is taken as the nearest one that is possible' },
  'overrun-and-reliable': {
    meaning:
      'NetlinkOverrunResync beside NetlinkEventsReliable, where conntrackd has no use for it',
  },
  'own-address-not-ignored': {
    meaning: 'Address Ignore lacks addresses of the node, its links or virtual routers',
  },
  'own-interface': {
    meaning: "an instance's own interface is tracked anyhow",
    migrate: 'drops',
  },
  'owner-by-default': { meaning: 'state MASTER without a priority is priority 255' },
  'password-truncated': { meaning: 'a password has more than 8 characters' },
  'peer-advert-int': { meaning: '--peer: advert_int differs' },
  'peer-auth': { meaning: '--peer: authentication differs' },
  'peer-commit-timeout': { meaning: '--peer: CommitTimeout differs' },
  'peer-down-timer': { meaning: '--peer: down_timer_adverts differs' },
  'peer-family': { meaning: '--peer: IPv4 here, IPv6 there' },
  'peer-group': { meaning: '--peer: multicast groups of VRRP differ' },
  'peer-link-group': { meaning: '--peer: group addresses of a sync link differ' },
  'peer-link-kind': { meaning: '--peer: Multicast, UDP or TCP here, another one there' },
  'peer-link-mirror': { meaning: '--peer: addresses of a sync link do not mirror each other' },
  'peer-link-port': { meaning: '--peer: Port or Group of a sync link differs' },
  'peer-links': { meaning: '--peer: not as many sync links on both' },
  'peer-mirror': { meaning: '--peer: unicast addresses do not mirror each other' },
  'peer-missing': { meaning: '--peer: an instance without counterpart' },
  'peer-mode': { meaning: '--peer: Mode differs' },
  'peer-port': { meaning: '--peer: peer_port differs' },
  'peer-preempt': { meaning: '--peer: one node preempts, the other does not' },
  'peer-sync': { meaning: '--peer: only one node has a Sync block' },
  'peer-sync-group': { meaning: '--peer: members of a sync group differ' },
  'peer-sync-sender': { meaning: '--peer: sync_peer does not name the other node' },
  'peer-transport': { meaning: '--peer: unicast here, multicast there' },
  'peer-version': { meaning: '--peer: VRRP versions differ' },
  'peer-vips': { meaning: '--peer: virtual addresses differ' },
  'peer-vrid': { meaning: '--peer: virtual_router_id differs' },
  'peer-weight': { meaning: '--peer: a weight can never move the role' },
  'peer-window-tracking': { meaning: '--peer: TCPWindowTracking differs' },
  'poll-and-events': {
    meaning: 'PollSecs turns events off in conntrackd, and not here',
    migrate: 'drops',
  },
  'preempt-delay-disarmed': { meaning: 'preempt_delay does nothing here', migrate: 'drops' },
  'relative-path': { meaning: 'the path of a track_file or FIFO is relative' },
  repeated: { meaning: 'a keyword stands twice; the message says which one counts' },
  rounded: { meaning: 'advert_int is rounded to what the version carries' },
  'same-group': {
    meaning: 'two multicast links have the same Group, which a conntrackd peer does not bear',
    migrate: 'accepts',
  },
  'single-member': {
    meaning: 'a sync group of one instance changes nothing for it',
    migrate: 'accepts',
  },
  'strict-link-local': {
    meaning: 'strict mode: the first IPv6 address is not link-local',
    migrate: 'accepts',
  },
  'strict-mode': {
    meaning: 'strict mode takes a keyword otherwise than written',
    migrate: 'accepts',
  },
  'target-beyond-interface': {
    meaning: 'a vrrp_track_target asks by an interface behind which its address is not',
  },
  'target-is-peer': { meaning: 'a vrrp_track_target asks the other node' },
  'target-own-address': { meaning: 'a vrrp_track_target asks an address of the node itself' },
  'target-virtual-address': { meaning: 'a vrrp_track_target asks a virtual address' },
  'target-virtual-source': {
    meaning: 'a vrrp_track_target asks from a virtual address, which a BACKUP has not',
  },
  'undefined-name': { meaning: '${NAME} is defined nowhere and stays as it is' },
  'user-space-helper': {
    meaning: 'a helper of conntrackd that runs in user space is not done',
    migrate: 'drops',
  },
  'unicast-without-peer': {
    meaning: 'unicast_src_ip without unicast_peer, or an empty unicast_peer, is multicast',
  },
  'unknown-state': { meaning: 'a state that is neither MASTER nor BACKUP' },
  'unquoted-arguments': {
    meaning: 'words behind an unquoted script are not its arguments',
  },
  unused: { meaning: 'a tracker that nothing tracks', migrate: 'drops' },
  'unusual-address': {
    meaning: "a virtual address that is its network's own or its broadcast address",
    migrate: 'accepts',
  },
  'weight-beside-nopreempt': {
    meaning: 'a weight beside nopreempt does not move the role where the peer has nopreempt too',
    migrate: 'accepts',
  },
  'weight-beside-owner': {
    meaning: 'a weight beside priority 255 changes nothing',
    migrate: 'accepts',
  },
  'weight-in-group': {
    meaning: 'a weight that does not count in a member of a sync group',
    migrate: 'accepts',
  },
  'words-read-over': { meaning: 'words behind a value that say nothing' },
} as const satisfies Readonly<Record<string, WarningKind>>;

export type WarningCode = keyof typeof warningKinds;

/** All codes with their meaning, by name. */
export const warningCodes: Readonly<Record<WarningCode, WarningKind>> = warningKinds;

export function isWarningCode(text: string): text is WarningCode {
  return Object.hasOwn(warningKinds, text);
}
