/**
 * Whether a received advertisement is believed. The checks run in keepalived 2.2.7's order and the
 * first that fails decides, each with its counter and a sentence for the operator. Where the
 * address list differs the advertisement is accepted with a complaint, as keepalived 2.4 does:
 * rejecting it makes two masters while an address is being added node by node. That check therefore
 * stands behind the checksum.
 */
import { formatIp, ipEquals, isMulticast, type IpAddress } from '../../base/ipAddress.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { AdvertProof, ProofFailure } from '../auth/proof.js';
import { trailerLength, trailerType } from '../auth/trailer.js';
import { intervalOnWire, listedAddresses } from '../wire/advert.js';
import type { CounterName } from './counters.js';
import {
  advertisementType,
  advertLength,
  authenticationTypes,
  decodeAdvert,
  hasValidChecksum,
  headerLength,
  type Advert,
} from '../wire/packet.js';
import type { Finding, RejectionReason } from './advertProblems.js';
import type { InstanceSettings } from '../settings.js';

export type Verdict =
  | { readonly kind: 'accepted'; readonly advert: Advert; readonly complaints: readonly Finding[] }
  | {
      readonly kind: 'rejected';
      readonly finding: Finding;
      /** It passed the checks of its form, so keepalived counts it as received all the same. */
      readonly isCounted: boolean;
      /** A MASTER whose clock differs is alive: signed rightly, new, with this priority. */
      readonly latePriority?: number;
    };

/**
 * Judges one datagram. `trustedMaster` is the last accepted master of a BACKUP: with
 * `skip_check_adv_addr` its address list and source are not checked again. `proof`: what the
 * trailer of the datagram is worth, where the instance has auth_hmac; no field is believed before.
 */
export function judge(
  datagram: VrrpDatagram,
  settings: InstanceSettings,
  trustedMaster: IpAddress | undefined,
  proof?: AdvertProof,
): Verdict {
  const early = checkFrame(datagram, settings);
  if (early !== undefined) return { kind: 'rejected', finding: early, isCounted: false };
  const unproved = checkProof(proof, datagram, settings);
  if (unproved !== undefined) return unproved;
  const unsigned = { ...datagram, payload: withoutTrailer(datagram.payload, settings) };
  const advert = decodeAdvert(unsigned.payload, settings.family);
  const finding = checkAdvert(advert, datagram, unsigned, settings);
  if (finding !== undefined) return { kind: 'rejected', finding, isCounted: false };
  const isTrusted =
    settings.skipCheckAdvertAddresses &&
    trustedMaster !== undefined &&
    ipEquals(trustedMaster, datagram.source);
  if (isTrusted) return { kind: 'accepted', advert, complaints: [] };
  const complaint = checkAddresses(advert, datagram, settings);
  const stranger = checkUnicastPeer(datagram, settings);
  if (stranger !== undefined) return { kind: 'rejected', finding: stranger, isCounted: true };
  return { kind: 'accepted', advert, complaints: complaint === undefined ? [] : [complaint] };
}

/**
 * The datagram has the length of an advertisement with a trailer, right TTL and version: its
 * signature can be looked at (keepalived 2.4 checks in this order).
 */
export function isSignedForm(datagram: VrrpDatagram, settings: InstanceSettings): boolean {
  if (checkFrame(datagram, settings) !== undefined) return false;
  return datagram.payload.length > expectedLength(datagram.payload, settings);
}

/** Of the advertisement alone, by its own address count. */
function expectedLength(payload: Uint8Array, { version, family }: InstanceSettings): number {
  if (payload.length < headerLength) return headerLength;
  return advertLength(version, family, payload[3] ?? 0);
}

function withoutTrailer(payload: Uint8Array, settings: InstanceSettings): Uint8Array {
  return payload.subarray(0, expectedLength(payload, settings));
}

const proofCounters: Readonly<Record<ProofFailure, CounterName>> = {
  authMalformed: 'auth_ext_malformed',
  authStale: 'auth_ext_stale',
  authUnknownKey: 'auth_ext_unknown_key',
  authWrong: 'auth_ext_invalid_hmac',
  clockSkew: 'auth_ext_stale',
  authReplay: 'auth_ext_replay',
};

/** A trailer that is there has to be right in each mode. */
function checkProof(
  proof: AdvertProof | undefined,
  { payload, source }: VrrpDatagram,
  { hmac }: InstanceSettings,
): Verdict | undefined {
  if (hmac === undefined || proof?.kind === 'signed') return undefined;
  if (proof?.kind === 'refused') {
    const { failure } = proof;
    const text = `advert from ${formatIp(source)} ${proof.text}`;
    const finding = found(failure, proofCounters[failure], text);
    const late = failure === 'clockSkew' ? { latePriority: payload[2] ?? 0 } : {};
    return { kind: 'rejected', finding, isCounted: false, ...late };
  }
  if (hmac.mode !== 'enforce') return undefined;
  const text = `advert from ${formatIp(source)} is not signed, and auth_hmac demands it`;
  const finding = found('authMissing', 'auth_ext_missing', text);
  return { kind: 'rejected', finding, isCounted: false };
}

/** Length, TTL and version: what can be said before the message is read as ours. */
function checkFrame(datagram: VrrpDatagram, settings: InstanceSettings): Finding | undefined {
  const { payload } = datagram;
  const from = formatIp(datagram.source);
  const expected = expectedLength(payload, settings);
  const hasTrailer = payload.length === expected + trailerLength;
  if (hasTrailer && settings.hmac === undefined && payload[expected] === trailerType) {
    const text = `peer ${from} signs its adverts (auth_hmac), and this instance has no auth_hmac`;
    return found('authHmac', 'packet_len_err', text);
  }
  const isOfLength = payload.length === expected || (hasTrailer && settings.hmac !== undefined);
  if (!isOfLength) {
    const text = `peer ${from} sends ${payload.length} bytes, we expect ${expected}`;
    return found('length', 'packet_len_err', text);
  }
  const isMulticastInstance = settings.unicastPeers.length === 0;
  // RFC 3768 section 5.2.3: a packet that was routed is not from this link.
  if (isMulticastInstance && datagram.ttl !== undefined && datagram.ttl !== 255) {
    const text = `advert from ${from} arrives with TTL ${datagram.ttl}, we expect 255`;
    return found('ttl', 'ip_ttl_err', text);
  }
  const version = (payload[0] ?? 0) >> 4;
  if (version !== settings.version) {
    const text = `peer ${from} speaks VRRP version ${version}, we version ${settings.version}`;
    return found('version', 'vers_err', text);
  }
  // RFC 9568 section 5.2.5, erratum 8299. Nodes that list no address say 0 to each other.
  if (version === 3 && payload[3] === 0 && listedAddresses(settings).length > 0) {
    return found('noAddress', 'packet_len_err', `advert from ${from} lists no address`);
  }
  return undefined;
}

/**
 * Authentication, interval, type, total length, checksum, destination; in this order. `unsigned` is
 * `datagram` without its trailer, which the checksum does not cover.
 */
function checkAdvert(
  advert: Advert,
  datagram: VrrpDatagram,
  unsigned: VrrpDatagram,
  settings: InstanceSettings,
): Finding | undefined {
  const from = formatIp(datagram.source);
  if (advert.version === 2) {
    const refused =
      checkAuthentication(advert, from, settings) ?? checkInterval(advert, from, settings);
    if (refused !== undefined) return refused;
  }
  if (advert.type !== advertisementType) {
    const text = `peer ${from} sends VRRP packet type ${advert.type}, only 1 exists`;
    return found('packetType', 'invalid_type_rcvd', text);
  }
  if (!fitsTotalLength(datagram)) {
    const text = `advert from ${from} has IP total length ${datagram.totalLength ?? 0} around ${datagram.payload.length} bytes`;
    return found('totalLength', 'packet_len_err', text);
  }
  if (!isChecksumRight(unsigned, settings)) {
    const text = `advert from ${from} has a wrong checksum`;
    return found('checksum', 'chk_err', text);
  }
  return checkDestination(datagram, settings);
}

/** RFC 2338 section 6.4: "MUST verify that the authentication type matches", then the data. */
function checkAuthentication(
  advert: Extract<Advert, { version: 2 }>,
  from: string,
  settings: InstanceSettings,
): Finding | undefined {
  const type = advert.authenticationType;
  if (type > authenticationTypes.ipAuthenticationHeader) {
    const text = `peer ${from} sends unknown auth type ${type}`;
    return found('invalidAuthenticationType', 'invalid_authtype', text);
  }
  const ours = settings.authentication;
  const expected =
    ours.kind === 'pass' ? authenticationTypes.simplePassword : authenticationTypes.none;
  if (type !== expected) {
    const text = `peer ${from} sends auth type ${typeName(type)}, we expect ${typeName(expected)}`;
    return found('authenticationType', 'authtype_mismatch', text);
  }
  if (ours.kind === 'pass' && !sameBytes(ours.bytes, advert.authenticationData)) {
    return found('password', 'auth_failure', `peer ${from} sends another password`);
  }
  return undefined;
}

/** RFC 3768 section 7.1. keepalived has a counter for this and never moves it; here it moves. */
function checkInterval(
  advert: Extract<Advert, { version: 2 }>,
  from: string,
  settings: InstanceSettings,
): Finding | undefined {
  const ours = intervalOnWire(settings);
  if (advert.intervalSeconds === ours) return undefined;
  const text = `peer ${from}'s interval is ${advert.intervalSeconds} s, ours ${ours} s`;
  return found('interval', 'advert_interval_err', text);
}

/** IP options may stand between: the header has 20 to 60 bytes. */
function fitsTotalLength(datagram: VrrpDatagram): boolean {
  if (datagram.totalLength === undefined) return true;
  const header = datagram.totalLength - datagram.payload.length;
  return header >= 20 && header <= 60 && header % 4 === 0;
}

/** Over IPv6 the kernel has checked; over IPv4 the destination is known or was ours. */
function isChecksumRight(datagram: VrrpDatagram, settings: InstanceSettings): boolean {
  if (settings.family === 6) return true;
  const destination = datagram.destination ?? settings.sourceAddress ?? settings.multicastGroup;
  const carriage = { source: datagram.source, destination };
  return hasValidChecksum(datagram.payload, settings.version, carriage);
}

function checkDestination(datagram: VrrpDatagram, settings: InstanceSettings): Finding | undefined {
  if (datagram.destination === undefined) return undefined;
  const received = isMulticast(datagram.destination);
  const expected = settings.unicastPeers.length === 0;
  if (received === expected) return undefined;
  const name = (isGroup: boolean): string => (isGroup ? 'multicast' : 'unicast');
  const text = `peer ${formatIp(datagram.source)} sends ${name(received)}, we expect ${name(expected)}`;
  return found('destination', 'addr_list_err', text);
}

/**
 * RFC 3768 section 7.1: "MAY verify that the IP address(es) associated with the VRID are valid".
 */
function checkAddresses(
  advert: Advert,
  datagram: VrrpDatagram,
  settings: InstanceSettings,
): Finding | undefined {
  const ours = listedAddresses(settings);
  const theirs = advert.addresses;
  const missing = ours.filter((address) => !theirs.some((other) => ipEquals(address, other)));
  if (missing.length === 0 && theirs.length === ours.length) return undefined;
  const from = formatIp(datagram.source);
  const list = `it lists ${textOf(theirs)}, we ${textOf(ours)}`;
  if (missing.length === ours.length && theirs.length > 0 && ours.length > 0) {
    const text = `another router uses VRID ${settings.virtualRouterId}: ${from}, ${list}`;
    return found('addressList', 'addr_list_err', text);
  }
  const reason = theirs.length === ours.length ? 'addressList' : 'addressCount';
  return found(reason, 'addr_list_err', `peer ${from} lists other VIPs: ${list}`);
}

/**
 * keepalived 2.2.7: only with `check_unicast_src`, or where a peer has min_ttl or max_ttl; 2.4:
 * with auth_hmac.
 */
function checkUnicastPeer(datagram: VrrpDatagram, settings: InstanceSettings): Finding | undefined {
  const peers = settings.unicastPeers;
  const hasTtl = peers.some((peer) => peer.minTtl !== undefined || peer.maxTtl !== undefined);
  const isAsked = settings.checkUnicastSource || hasTtl || settings.hmac !== undefined;
  if (peers.length === 0 || !isAsked) return undefined;
  const from = formatIp(datagram.source);
  const peer = peers.find(({ address }) => ipEquals(address, datagram.source));
  if (peer === undefined) {
    const text = `advert from ${from}, which is no unicast peer of ours`;
    return found('unicastSource', undefined, text);
  }
  const { minTtl = 0, maxTtl = 255 } = peer;
  const ttl = datagram.ttl;
  if (ttl === undefined || (ttl >= minTtl && ttl <= maxTtl)) return undefined;
  const text = `advert from ${from} arrives with TTL ${ttl}, we expect ${minTtl} to ${maxTtl}`;
  return found('unicastTtl', 'ip_ttl_err', text);
}

function found(reason: RejectionReason, counter: CounterName | undefined, text: string): Finding {
  return { reason, counter, text };
}

function typeName(type: number): string {
  return ['NONE', 'PASS', 'AH'][type] ?? `${type}`;
}

function textOf(addresses: readonly IpAddress[]): string {
  return addresses.length === 0 ? 'none' : addresses.map(formatIp).join(' ');
}

/** Takes the same time wherever the difference is. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
