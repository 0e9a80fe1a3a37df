/** The replication half of the cross-node check. */
import { formatIp, ipEquals } from '../../base/ipAddress.js';
import type { SyncLink, SyncSettings } from '../../sync/settings.js';
import { last, type Located } from '../table/row.js';
import type { Position, ProblemList } from '../problem.js';
import type { WarningCode } from '../warningCodes.js';
import { start, type PeerSide } from './side.js';

export function crossCheckSync(own: PeerSide, peer: PeerSide, problems: ProblemList): void {
  const [a, b] = [own.settings.sync, peer.settings.sync];
  if (a === undefined && b === undefined) return;
  if (a === undefined || b === undefined) {
    const message = `only ${a === undefined ? 'the peer' : 'this node'} has a Sync block`;
    const at = last(own.values.Sync)?.at ?? start(own);
    problems.warning(at, 'peer-sync', message, { expected: 'one on both' });
    return;
  }
  compareModes(own, a, b, problems);
  if (a.links.length !== b.links.length) {
    const message = `${a.links.length} dedicated links here, ${b.links.length} on the peer`;
    problems.warning(placeOf(own, undefined), 'peer-links', message, {
      expected: 'the same on both',
    });
  }
  a.links.forEach((link, i) => {
    const other = b.links[i];
    if (other === undefined) return;
    compareLinks(own, link, other, i, problems);
    const at = placeOf(own, i);
    compareSenders(a, other, 'here', 'on the peer', at, problems);
    compareSenders(b, link, 'on the peer', 'here', at, problems);
  });
}

/** What a node without this address sends is refused. */
function compareSenders(
  { multicastPeers }: SyncSettings,
  { kind, localAddress }: SyncLink,
  listIs: string,
  addressIs: string,
  at: Position,
  problems: ProblemList,
): void {
  if (kind !== 'multicast' || multicastPeers === undefined || localAddress === undefined) return;
  if (multicastPeers.some((peer) => ipEquals(peer, localAddress))) return;
  const message = `sync_peer ${listIs} does not name ${formatIp(localAddress)}, the address of the dedicated link ${addressIs}`;
  problems.warning(at, 'peer-sync-sender', message, {
    expected: 'the addresses of the other node',
  });
}

function placeOf(own: PeerSide, index: number | undefined): Position {
  const sync = last(own.values.Sync);
  if (sync === undefined) return start(own);
  const { Multicast, UDP, TCP } = sync.value.values;
  const links: readonly Located<unknown>[] = [...Multicast, ...UDP, ...TCP];
  return (index === undefined ? undefined : links[index]?.at) ?? sync.at;
}

function compareModes(
  own: PeerSide,
  a: SyncSettings,
  b: SyncSettings,
  problems: ProblemList,
): void {
  const sync = last(own.values.Sync);
  const at = (sync && last(sync.value.values.Mode)?.at) ?? placeOf(own, undefined);
  const differ = (
    keyword: string,
    code: WarningCode,
    mine: string,
    theirs: string,
    why: string,
  ): void => {
    if (mine === theirs) return;
    const message = `${keyword} is ${mine} here and ${theirs} on the peer: ${why}`;
    problems.warning(at, code, message, { expected: 'the same on both' });
  };
  differ('Mode', 'peer-mode', a.mode, b.mode, 'the modes do not understand each other');
  const timeout = (seconds: number | undefined): string =>
    seconds === undefined ? 'unset' : `${seconds} s`;
  differ(
    'CommitTimeout',
    'peer-commit-timeout',
    timeout(a.commitTimeoutSeconds),
    timeout(b.commitTimeoutSeconds),
    'timeouts are sent in one direction only',
  );
  const windows = (on: boolean): string => (on ? 'on' : 'off');
  differ(
    'TCPWindowTracking',
    'peer-window-tracking',
    windows(a.tcpWindowTracking),
    windows(b.tcpWindowTracking),
    'window scales are sent in one direction only',
  );
  differ(
    'peer_port',
    'peer-port',
    String(a.peerPort),
    String(b.peerPort),
    'the peer channel stays silent',
  );
}

function compareLinks(
  own: PeerSide,
  a: SyncLink,
  b: SyncLink,
  index: number,
  problems: ProblemList,
): void {
  const at = placeOf(own, index);
  const differ = (what: string, code: WarningCode, mine: string, theirs: string): void => {
    if (mine === theirs) return;
    const message = `${what} of the dedicated link is ${mine} here and ${theirs} on the peer`;
    problems.warning(at, code, message, { expected: 'the same on both' });
  };
  differ('the kind', 'peer-link-kind', a.kind, b.kind);
  if (a.kind !== b.kind) return;
  differ(
    a.kind === 'multicast' ? 'Group' : 'Port',
    'peer-link-port',
    String(a.port),
    String(b.port),
  );
  if (a.kind === 'multicast') {
    differ(
      'the group address',
      'peer-link-group',
      formatIp(a.destination),
      formatIp(b.destination),
    );
    return;
  }
  mirrorLink(a, b, 'here', 'on the peer', at, problems);
  mirrorLink(b, a, 'on the peer', 'here', at, problems);
}

function mirrorLink(
  a: SyncLink,
  b: SyncLink,
  aIs: string,
  bIs: string,
  at: Position,
  problems: ProblemList,
): void {
  const local = a.localAddress === undefined ? undefined : formatIp(a.localAddress);
  const destination = formatIp(b.destination);
  if (local === undefined || local === destination) return;
  const message = `own address ${local} ${aIs} is not the destination ${destination} ${bIs}`;
  problems.warning(at, 'peer-link-mirror', message, {
    expected: 'addresses that mirror each other',
  });
}
