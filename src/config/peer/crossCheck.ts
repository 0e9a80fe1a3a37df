/**
 * Two nodes that should be one cluster: what must be equal, what must mirror, what must differ.
 * Each mismatch is a warning at the place where this node says its half.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { toSeconds } from '../../base/time.js';
import type { Authentication, InstanceSettings } from '../../vrrp/settings.js';
import { last, type Located } from '../table/row.js';
import { judge, type Judged } from '../acceptedWarnings.js';
import { acceptancesOf, mergeGlobals } from '../build/globals.js';
import { globalRows } from '../keywords/globalRows.js';
import { nameOf } from '../build/trackers.js';
import { ProblemList, type Position } from '../problem.js';
import { crossCheckSync } from './crossCheckSync.js';
import { compareWeights } from './crossCheckWeights.js';
import type { WarningCode } from '../warningCodes.js';
import { start, type PeerSide } from './side.js';

/**
 * Mismatches between `own` and `peer`, placed in `own`, whose `accept_warning` lines hold for them.
 */
export function crossCheck(own: PeerSide, peer: PeerSide): Judged {
  const problems = new ProblemList();
  const matched = new Set<string>();
  for (const instance of own.settings.vrrp.instances) {
    const other = counterpart(instance, peer.settings.vrrp.instances);
    if (other === undefined) {
      const message = `the peer has no instance like '${instance.name}'`;
      problems.warning(placeOf(own, instance.name), 'peer-missing', message, {
        expected: 'one with the same name or the same virtual_router_id',
      });
      continue;
    }
    matched.add(other.name);
    compareInstances(own, instance, other, problems);
  }
  for (const other of peer.settings.vrrp.instances) {
    if (matched.has(other.name)) continue;
    const message = `the peer's instance '${other.name}' has no counterpart here`;
    problems.warning(start(own), 'peer-missing', message, { expected: 'an instance like it' });
  }
  compareGroups(own, peer, problems);
  crossCheckSync(own, peer, problems);
  return judge(problems.all(), acceptancesOf(mergeGlobals(own.values, globalRows)));
}

/** By name first, else by family and VRID where that is unambiguous. */
function counterpart(
  instance: InstanceSettings,
  others: readonly InstanceSettings[],
): InstanceSettings | undefined {
  const sameName = others.find((other) => other.name === instance.name);
  if (sameName !== undefined) return sameName;
  const sameId = others.filter(
    (other) =>
      other.virtualRouterId === instance.virtualRouterId && other.family === instance.family,
  );
  return sameId.length === 1 ? sameId[0] : undefined;
}

function placeOf(side: PeerSide, instance: string, keyword?: string): Position {
  const block = side.values.vrrp_instance.find(({ value }) => nameOf(value) === instance);
  if (block === undefined) return start(side);
  if (keyword === undefined) return block.at;
  const all: Readonly<Record<string, readonly Located<unknown>[]>> = block.value.values;
  return last(all[keyword] ?? [])?.at ?? block.at;
}

function compareInstances(
  own: PeerSide,
  a: InstanceSettings,
  b: InstanceSettings,
  problems: ProblemList,
): void {
  const differ = (
    keyword: string,
    code: WarningCode,
    mine: string,
    theirs: string,
    why: string,
  ): void => {
    if (mine === theirs) return;
    const message = `${keyword} of '${a.name}' is ${mine} here and ${theirs} on the peer: ${why}`;
    problems.warning(placeOf(own, a.name, keyword), code, message, {
      expected: 'the same on both',
    });
  };
  const twoMasters = 'both would become MASTER';
  differ(
    'virtual_router_id',
    'peer-vrid',
    String(a.virtualRouterId),
    String(b.virtualRouterId),
    twoMasters,
  );
  differ('version', 'peer-version', String(a.version), String(b.version), twoMasters);
  differ('virtual_ipaddress', 'peer-family', `IPv${a.family}`, `IPv${b.family}`, twoMasters);
  const [auth, peerAuth] = authTexts(a, b);
  differ('authentication', 'peer-auth', auth, peerAuth, twoMasters);
  if (a.version === 2 && b.version === 2) {
    const [mine, theirs] = [a, b].map((it) => `${toSeconds(it.advertInterval)} s`);
    differ('advert_int', 'peer-advert-int', mine ?? '', theirs ?? '', twoMasters);
  }
  differ(
    'down_timer_adverts',
    'peer-down-timer',
    String(a.downTimerAdverts),
    String(b.downTimerAdverts),
    'takeover times differ',
  );
  compareVips(own, a, b, problems);
  comparePriorities(own, a, b, problems);
  compareWeights(a, b, placeOf(own, a.name, 'priority'), problems);
  compareTransport(own, a, b, problems);
}

/** What differs, without a password in the log. */
function authTexts(a: InstanceSettings, b: InstanceSettings): readonly [string, string] {
  if (a.hmac !== undefined || b.hmac !== undefined) return hmacTexts(a, b);
  const [mine, theirs] = [a.authentication, b.authentication];
  const text = ({ kind }: Authentication): string => (kind === 'none' ? 'none' : 'PASS');
  const isOther =
    mine.kind === 'pass' && theirs.kind === 'pass' && !samePassword(mine.bytes, theirs.bytes);
  return [text(mine), isOther ? 'PASS with another password' : text(theirs)];
}

/** Equal where each node has the key that the other signs with. */
function hmacTexts(a: InstanceSettings, b: InstanceSettings): readonly [string, string] {
  const text = ({ hmac }: InstanceSettings): string => {
    const active = hmac?.keys.find(({ id }) => id === hmac.activeKeyId);
    if (active === undefined) return 'no auth_hmac';
    return `auth_hmac with key ${active.id} (fingerprint ${active.secret.fingerprint})`;
  };
  const accepts = (one: InstanceSettings, other: InstanceSettings): boolean =>
    one.hmac?.keys.some(
      ({ id, secret }) =>
        id === other.hmac?.activeKeyId &&
        other.hmac.keys.some(
          (key) => key.id === id && key.secret.fingerprint === secret.fingerprint,
        ),
    ) ?? false;
  return accepts(a, b) && accepts(b, a) ? ['auth_hmac', 'auth_hmac'] : [text(a), text(b)];
}

function samePassword(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}

function compareVips(
  own: PeerSide,
  a: InstanceSettings,
  b: InstanceSettings,
  problems: ProblemList,
): void {
  const list = ({ virtualAddresses }: InstanceSettings): readonly string[] =>
    virtualAddresses.map(({ spec }) => `${formatIp(spec.address)}/${spec.prefixLength}`);
  const [mine, theirs] = [list(a), list(b)];
  const onlyHere = mine.filter((vip) => !theirs.includes(vip));
  const onlyThere = theirs.filter((vip) => !mine.includes(vip));
  if (onlyHere.length + onlyThere.length === 0) return;
  const parts = [
    ...(onlyHere.length === 0 ? [] : [`only here: ${onlyHere.join(', ')}`]),
    ...(onlyThere.length === 0 ? [] : [`only on the peer: ${onlyThere.join(', ')}`]),
  ];
  const message = `the addresses of '${a.name}' differ from the peer's (${parts.join('; ')})`;
  problems.warning(placeOf(own, a.name, 'virtual_ipaddress'), 'peer-vips', message, {
    expected: 'the same list on both',
  });
}

function comparePriorities(
  own: PeerSide,
  a: InstanceSettings,
  b: InstanceSettings,
  problems: ProblemList,
): void {
  if (a.priority === b.priority) {
    const message = `'${a.name}' has priority ${a.priority} on both nodes: the higher address decides`;
    problems.warning(placeOf(own, a.name, 'priority'), 'equal-priorities', message, {
      expected: 'different priorities',
    });
  }
  if (a.preempt !== b.preempt) {
    const [name, other] = a.preempt ? ['preempts', 'does not'] : ['does not preempt', 'does'];
    const message = `'${a.name}' ${name} here, and ${other} on the peer`;
    problems.warning(placeOf(own, a.name, 'preempt'), 'peer-preempt', message, {
      expected: 'the same on both',
    });
  }
}

function compareTransport(
  own: PeerSide,
  a: InstanceSettings,
  b: InstanceSettings,
  problems: ProblemList,
): void {
  const isUnicast = a.unicastPeers.length > 0;
  const at = placeOf(own, a.name, isUnicast ? 'unicast_peer' : 'interface');
  if (isUnicast !== b.unicastPeers.length > 0) {
    const [here, there] = isUnicast ? ['unicast', 'multicast'] : ['multicast', 'unicast'];
    const message = `'${a.name}' speaks ${here} here and ${there} on the peer: neither hears the other`;
    problems.warning(at, 'peer-transport', message, { expected: 'the same on both' });
    return;
  }
  if (!isUnicast) {
    const [mine, theirs] = [formatIp(a.multicastGroup), formatIp(b.multicastGroup)];
    if (mine === theirs) return;
    const message = `'${a.name}' uses group ${mine} here and ${theirs} on the peer`;
    problems.warning(at, 'peer-group', message, { expected: 'the same on both' });
    return;
  }
  mirror(a, b, 'here', 'the peer', at, problems);
  mirror(b, a, 'the peer', 'here', at, problems);
}

/** One node's unicast_src_ip must stand among the other's peers. */
function mirror(
  a: InstanceSettings,
  b: InstanceSettings,
  aIs: string,
  bIs: string,
  at: Position,
  problems: ProblemList,
): void {
  const source: IpAddress | undefined = a.sourceAddress;
  if (source === undefined) return;
  const peers = b.unicastPeers.map(({ address }) => formatIp(address));
  if (peers.includes(formatIp(source))) return;
  const message = `unicast_src_ip ${formatIp(source)} of '${a.name}' (${aIs}) is not among unicast_peer ${peers.join(', ')} (${bIs})`;
  problems.warning(at, 'peer-mirror', message, { expected: 'addresses that mirror each other' });
}

function compareGroups(own: PeerSide, peer: PeerSide, problems: ProblemList): void {
  for (const block of own.values.vrrp_sync_group) {
    const name = nameOf(block.value);
    const mine = own.settings.vrrp.groups.find((group) => group.name === name);
    const theirs = peer.settings.vrrp.groups.find((group) => group.name === name);
    const missing = mine?.members.filter((member) => theirs?.members.includes(member) === false);
    const additional = theirs?.members.filter((member) => mine?.members.includes(member) === false);
    const differing = [...(missing ?? []), ...(additional ?? [])];
    if (theirs !== undefined && differing.length === 0) continue;
    const message =
      theirs === undefined
        ? `the peer has no sync group '${name}'`
        : `the members of sync group '${name}' differ from the peer's: ${differing.join(', ')}`;
    problems.warning(block.at, 'peer-sync-group', message, { expected: 'the same on both' });
  }
}
