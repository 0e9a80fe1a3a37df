/** Traps of conntrackd's block. */
import { formatIp, inPrefix, type IpAddress } from '../../base/ipAddress.js';
import type { FilterSettings } from '../../sync/settings.js';
import type { SyncValues } from '../build/links.js';
import type { GeneralValues } from '../build/sync.js';
import { last } from '../table/row.js';
import type { Fix, Position, ProblemList } from '../problem.js';
import type { WarningInputs } from './warningInputs.js';

export function warnAboutSync(inputs: WarningInputs): void {
  const { root, settings, problems } = inputs;
  const general = last(root.General);
  if (general !== undefined) warnAboutNoEffect(general.value.values, problems);
  const sync = last(root.Sync);
  if (settings.sync === undefined || sync === undefined) return;
  warnAboutLinks(sync.value.values, problems);
  warnAboutSenders(inputs, sync.value.values);
  warnAboutKey(inputs, sync.at);
  if (general !== undefined) {
    warnAboutEvents(general.value.values, problems);
    warnAboutBuffer(general.value.values, problems);
  }
  warnAboutFilter(inputs, general?.value.values, (general ?? sync).at);
  warnAboutLimit(inputs, settings.sync.hashLimit, (general ?? sync).at);
}

/**
 * conntrackd 1.4.7 binds the receiver of each link to the port alone, not to the group or the
 * interface.
 */
function warnAboutLinks({ Multicast }: SyncValues, problems: ProblemList): void {
  const used = new Set<number>();
  for (const { value } of Multicast) {
    const port = last(value.values.Group);
    if (port === undefined) continue;
    if (used.has(port.value)) {
      const message = `two links have Group ${port.value}: a conntrackd peer takes what comes on either for news of one, and may go on speaking on a dead link`;
      problems.warning(port.at, 'same-group', message, { expected: 'another port for each link' });
    }
    used.add(port.value);
  }
}

/** A group is anybody's: whoever is in the network can speak there. */
function warnAboutSenders({ globals, problems }: WarningInputs, { Multicast }: SyncValues): void {
  const named = last(globals.sync_peer);
  const [link] = Multicast;
  if (named !== undefined && link === undefined) {
    const message = "'sync_peer' has no effect here: UDP and TCP links name their peer themselves";
    problems.warning(named.at, 'no-effect', message, { expected: 'Multicast links, or no line' });
  }
  if (named !== undefined || link === undefined) return;
  const message =
    'whoever is in the network of the interface can speak here: up to four senders are taken for peers, and a planned hand-over only from an address whose adverts this node hears';
  problems.warning(link.at, 'no-sync-peer', message, {
    expected: 'sync_peer in global_defs, with the addresses of the other nodes on this link',
  });
}

/** A network in which there is room for two nodes and nobody else. */
const narrowestPrefix = { 4: 30, 6: 126 } as const;

/** Without a key whoever borrows the peer's address while it is silent is the peer. */
function warnAboutKey({ settings, ports, problems, globals }: WarningInputs, at: Position): void {
  const { sync } = settings;
  // A key that is wrong is a problem of its own.
  if (sync === undefined || globals.sync_key.length > 0) return;
  if (settings.netNamespace !== undefined) return;
  for (const { interfaceName, family, localAddress } of sync.links) {
    const prefix = ports.machine?.networkPrefix?.(interfaceName, family, localAddress);
    if (prefix === undefined || prefix >= narrowestPrefix[family]) continue;
    const message = `others than the peer can be in the network of the sync link on ${interfaceName} (/${prefix}), and without a key whoever borrows its address there can pass for it`;
    problems.warning(at, 'no-key', message, {
      expected: `sync_key and sync_active_key in global_defs (keepstate key new --file PATH), or a network /${narrowestPrefix[family]} for the link`,
    });
    return;
  }
}

/** What keepstate does whatever the line says; a line that asks for just that is no problem. */
function warnAboutNoEffect(values: GeneralValues, problems: ProblemList): void {
  const systemd = last(values.Systemd);
  if (systemd?.value === false) {
    const message =
      "'Systemd off' has no effect here: systemd is told where the unit asks for it (NOTIFY_SOCKET)";
    problems.warning(systemd.at, 'no-effect', message, {
      expected: 'Type=exec in the unit, if systemd shall not be told',
    });
  }
  const resync = last(values.NetlinkOverrunResync);
  const isReliable = last(values.NetlinkEventsReliable)?.value === true;
  // Beside reliable events it has a warning of its own.
  if (resync !== undefined && !(isReliable && resync.value >= 0)) {
    const message =
      "'NetlinkOverrunResync' has no effect here: lost events are always repaired, and at once";
    problems.warning(resync.at, 'no-effect', message);
  }
}

function warnAboutLimit(
  { root, ports, problems, settings }: WarningInputs,
  hashLimit: number,
  otherwise: Position,
): void {
  const maximum = ports.machine?.sysctl('net/netfilter/nf_conntrack_max');
  if (maximum === undefined || hashLimit >= maximum || settings.netNamespace !== undefined) return;
  const at = last(last(root.General)?.value.values.HashLimit ?? [])?.at ?? otherwise;
  const message = `HashLimit ${hashLimit} is below this machine's nf_conntrack_max ${maximum}: connections beyond it are not replicated`;
  problems.warning(at, 'hash-limit', message, { expected: `${maximum * 2} or more` });
}

function warnAboutEvents(values: GeneralValues, problems: ProblemList): void {
  const poll = last(values.PollSecs);
  const isReliable = last(values.NetlinkEventsReliable)?.value === true;
  if (poll !== undefined) {
    const beside = isReliable ? ' beside NetlinkEventsReliable' : '';
    const message = `PollSecs${beside} turns events off in conntrackd; keepstate keeps them on and compares with the kernel every ${poll.value} s`;
    problems.warning(poll.at, 'poll-and-events', message, { expected: 'no PollSecs' });
  }
  const resync = last(values.NetlinkOverrunResync);
  if (resync !== undefined && resync.value >= 0 && isReliable) {
    const message =
      'NetlinkOverrunResync beside NetlinkEventsReliable: conntrackd is told of no overrun then, and compares with the kernel never; keepstate reads the drop counter of its socket, and compares at once';
    problems.warning(resync.at, 'overrun-and-reliable', message, {
      expected: 'no NetlinkOverrunResync',
      fix: { kind: 'drop' },
    });
  }
}

function warnAboutBuffer(values: GeneralValues, problems: ProblemList): void {
  const size = last(values.NetlinkBufferSize);
  const maximum = last(values.NetlinkBufferSizeMaxGrowth);
  const growth = maximum?.value ?? 0;
  if (size === undefined || size.value <= growth) return;
  // A misspelt NetlinkBufferSizeMaxGrowth is an error of its own, which names the word.
  if (problems.hasUnknown('NetlinkBufferSizeMaxGrowth')) return;
  const line = `NetlinkBufferSizeMaxGrowth ${size.value}`;
  const message = `NetlinkBufferSize ${size.value} is above NetlinkBufferSizeMaxGrowth ${growth}: conntrackd would ignore it, keepstate uses it`;
  problems.warning(size.at, 'buffer-growth', message, {
    expected: `at most ${growth}`,
    fix:
      maximum === undefined
        ? { kind: 'add', where: 'after', lines: [line] }
        : { kind: 'line', line, at: maximum.at },
  });
}

function warnAboutFilter(
  { settings, problems }: WarningInputs,
  general: GeneralValues | undefined,
  otherwise: Position,
): void {
  const filter = last(general?.Filter ?? []);
  const block = last(filter?.value.values.Address ?? []);
  const set = settings.sync?.filter.address ?? { policy: 'ignore', entries: [] };
  const at = (block ?? filter)?.at ?? otherwise;
  if (set.policy === 'accept') {
    warnAboutAcceptFamilies(set, at, problems);
    return;
  }
  const missing = (settings.sync?.ownAddresses ?? []).filter(
    (own) => !isMulticastOrListed(own, set),
  );
  if (missing.length === 0) return;
  const entries = missing.map((own) => `IPv${own.family}_address ${formatIp(own)}`);
  const list = missing.map(formatIp).join(', ');
  const message = `Address Ignore does not list ${list} (VIPs and addresses of the node and its links); keepstate ignores them by itself, a conntrackd peer does not`;
  problems.warning(at, 'own-address-not-ignored', message, {
    expected: 'a line IPv4_address or IPv6_address for each',
    fix: ignoring(entries, block !== undefined, filter !== undefined, general !== undefined),
  });
}

/** The entries, with the blocks around them that the text lacks. */
function ignoring(
  entries: readonly string[],
  hasAddress: boolean,
  hasFilter: boolean,
  hasGeneral: boolean,
): Fix {
  if (hasAddress) return { kind: 'add', where: 'inside', lines: entries };
  const address = enclose('Address Ignore', entries);
  if (hasFilter) return { kind: 'add', where: 'inside', lines: address };
  const filter = enclose('Filter From Userspace', address);
  if (hasGeneral) return { kind: 'add', where: 'inside', lines: filter };
  return { kind: 'add', where: 'after', lines: enclose('General', filter) };
}

function enclose(header: string, lines: readonly string[]): readonly string[] {
  return [`${header} {`, ...lines.map((line) => `    ${line}`), '}'];
}

function isMulticastOrListed(own: IpAddress, set: NonNullable<FilterSettings['address']>): boolean {
  const first = own.bytes[0] ?? 0;
  const isGroup = own.family === 4 ? first >= 224 : first === 0xff;
  return isGroup || set.entries.some((entry) => inPrefix(own, entry.address, entry.prefixLength));
}

function warnAboutAcceptFamilies(
  set: NonNullable<FilterSettings['address']>,
  at: Position,
  problems: ProblemList,
): void {
  for (const family of [4, 6] as const) {
    if (set.entries.some((entry) => entry.address.family === family)) continue;
    const message = `Address Accept lists no IPv${family} address: no IPv${family} connection is replicated`;
    problems.warning(at, 'family-not-accepted', message, {
      expected: `an IPv${family}_address line`,
    });
  }
}
