/**
 * Problems of an instance as `status` shows them, each with what an operator can do about it. Pure
 * text.
 */
import type { Microseconds } from '../../base/time.js';
import type { ComplaintReason } from '../machine/advertProblems.js';
import type { InstanceSettings } from '../settings.js';

type OwnReason = ComplaintReason | 'pending' | 'send' | 'script';
/** What `status` can say of an instance, by a stable name. */
export type ProblemReason = OwnReason | 'nopreemptDisarmed';

/** Something an operator should know, with what to do about it. */
export interface ProblemSnapshot {
  readonly reason: ProblemReason;
  readonly text: string;
  readonly remedy: string;
  readonly count: number;
  /** Microseconds since 1970; absent for remarks on the settings. */
  readonly lastSeen?: Microseconds;
}

const remedies: Readonly<Record<OwnReason, string>> = {
  authHmac:
    'give this router the auth_hmac block of the other routers of this VRID, or set their mode to receive-only',
  authMissing:
    'give all routers of this VRID the same auth_hmac block; mode permissive here takes unsigned adverts meanwhile',
  authMalformed: 'find the sender: it is no keepalived and no keepstate with auth_hmac',
  authStale: 'find out who sends old adverts again: a recording does not hold a key',
  authUnknownKey: 'add this key to auth_hmac here, or move active_key on the other router back',
  authWrong: 'compare the keys of auth_hmac on all routers of this VRID by their fingerprints',
  clockSkew:
    'set the clocks of both nodes by one time service (timedatectl), or write anti_replay monotonic',
  authReplay: 'find out who sends recorded adverts again; the clock of the sender may be set back',
  length: 'compare version, auth_type and the number of VIPs on all routers of this VRID',
  ttl: 'something forwards VRRP between networks: find it; multicast adverts must arrive with TTL 255',
  version: 'set the same vrrp_version on all routers of this VRID',
  invalidAuthenticationType: 'find the sender: it is no keepalived and no keepstate',
  authenticationType: 'make auth_type equal on all routers of this VRID',
  password: 'make auth_pass equal on all routers of this VRID (8 characters count)',
  interval: 'make advert_int equal on all routers of this VRID',
  packetType: 'find the sender: only advertisements exist in VRRP',
  totalLength: 'find what damages packets between the two hosts',
  checksum: 'find what damages packets, or a sender with another idea of the version 3 checksum',
  destination: 'use unicast_peer on all routers of this VRID, or on none',
  noAddress: 'list at least one virtual_ipaddress on all routers of this VRID',
  addressCount: 'make virtual_ipaddress equal on all routers of this VRID',
  addressList: 'make virtual_ipaddress equal on all routers of this VRID',
  unicastSource: 'add the address to unicast_peer, or find out who sends',
  unicastTtl: 'check min_ttl and max_ttl of the peer, or the path to it',
  ownAddress: 'another host has our source address: find the duplicate',
  twoAddressOwners: 'give only one router of this VRID priority 255',
  pending: 'nothing, if the link is expected to be down: it is tried again by itself',
  script: 'let the script exist and its user run it; it counts again by itself',
  send: 'check the interface, its address and the ruleset for IP protocol 112',
};

export function problemRemedy(reason: OwnReason): string {
  return remedies[reason];
}

/** Settings that do not do what they seem to say. */
export function settingRemarks(settings: InstanceSettings): readonly ProblemSnapshot[] {
  if (!settings.nopreemptDisarmed) return [];
  const because = settings.priority === 255 ? 'priority 255' : 'state MASTER';
  return [
    {
      reason: 'nopreemptDisarmed',
      text: `nopreempt has no effect beside ${because}: this router does preempt`,
      remedy: 'write state BACKUP on all routers of this VRID, or drop nopreempt',
      count: 1,
    },
  ];
}
