/**
 * Problems of roles, addresses and advertisements. The remedies of refused advertisements are those
 * of the VRRP room.
 */
import { problemRemedy } from '../../vrrp/status/remedies.js';
import type { ComplaintReason } from '../../vrrp/machine/advertProblems.js';
import type { ProblemRow } from './row.js';

const quiet = 'a minute after the last such advertisement';

function refused(
  reason: ComplaintReason,
  what: string,
): Pick<ProblemRow, 'severity' | 'begins' | 'ends' | 'remedy'> {
  return {
    severity: 'warning',
    begins: `an advertisement of this VRID ${what}`,
    ends: quiet,
    remedy: problemRemedy(reason),
  };
}

export const vrrpRows = {
  fault: {
    severity: 'error',
    begins: 'an instance is in FAULT: interface, address, tracked script, file, process or route',
    ends: 'the instance has left FAULT',
    remedy: 'repair what the fault names; the instance returns by itself',
  },
  'target-lost': {
    severity: 'error',
    begins: 'a vrrp_track_target does not answer; the text says whether that counts',
    ends: 'it answers again',
    remedy: 'look for the fault between this node and the target; history tells what it moved',
  },
  'target-lost-by-both': {
    severity: 'warning',
    begins: 'a vrrp_track_target answers neither node: nothing moves',
    ends: 'it answers one of them',
    remedy: 'the target itself, or what both nodes share, is broken; or track a better target',
  },
  'target-peer-silent': {
    severity: 'error',
    begins:
      'a vrrp_track_target is lost here, and the peer, which was a keepstate, is silent: nothing moves',
    ends: 'the peer is heard on peer_port, or the target answers here',
    remedy:
      'bring the peer back; where it is no keepstate any more: keepstate acknowledge peer-channel-silent',
  },
  'target-unable': {
    severity: 'warning',
    begins: 'a vrrp_track_target cannot be asked, so that its loss would not be seen',
    ends: 'it can be asked',
    remedy: 'do what the text names: interface, route, source address, or a firewall rule',
  },
  'target-peer-unable': {
    severity: 'warning',
    begins: 'a vrrp_track_target is lost here, and the peer cannot ask it: nothing moves',
    ends: 'the peer can ask it, or it answers here',
    remedy: 'give the peer a source address and a route to the target that it has as BACKUP',
  },
  'target-blind': {
    severity: 'warning',
    begins: 'so many ICMP replies come in that answers of a vrrp_track_target may be lost',
    ends: 'a second without such a flood',
    remedy: 'find out who sends them, and limit ICMP echo replies in the ruleset',
  },
  'vip-missing': {
    severity: 'error',
    begins: 'an instance is MASTER and one of its addresses is not on its interface',
    ends: 'the address is there again, or the instance is no longer MASTER',
    remedy: 'see the log for why the kernel refused it',
  },
  'vip-not-ours': {
    severity: 'error',
    begins: 'an instance is not MASTER, and an address of it is on its interface for 3 s',
    ends: 'the address is gone, or the instance is MASTER',
    remedy: 'find out who added it, and remove it: ip address del ADDRESS dev INTERFACE',
  },
  pending: {
    severity: 'warning',
    begins: 'an address, route or rule could not be set',
    ends: 'it is set, or no longer wanted',
    remedy: problemRemedy('pending'),
  },
  send: {
    severity: 'warning',
    begins: 'an advertisement could not be sent',
    ends: 'the next one that was sent',
    remedy: problemRemedy('send'),
  },
  script: {
    severity: 'warning',
    begins: 'a track script cannot be run, so that it does not count',
    ends: 'it was run again',
    remedy: problemRemedy('script'),
  },
  nopreemptDisarmed: {
    severity: 'warning',
    begins: 'the configuration has nopreempt beside state MASTER or priority 255',
    ends: 'a reload of a configuration without this',
    remedy: 'write state BACKUP on all routers of this VRID, or drop nopreempt',
  },
  authHmac: refused('authHmac', 'is signed by auth_hmac, which this router does not have'),
  authMissing: refused('authMissing', 'is not signed, and auth_hmac has mode enforce'),
  authMalformed: refused('authMalformed', 'has a trailer that is not one of auth_hmac'),
  authStale: refused('authStale', 'is outside the time_window and not a new one of the peer'),
  authUnknownKey: refused('authUnknownKey', 'is signed with a key that auth_hmac lacks here'),
  authWrong: refused('authWrong', 'has a signature that the key does not make'),
  clockSkew: {
    ...refused('clockSkew', 'is signed rightly by a clock that differs by more than time_window'),
    severity: 'error',
  },
  authReplay: refused('authReplay', 'has a number that was heard before'),
  length: refused('length', 'has the wrong length'),
  ttl: refused('ttl', 'arrives with another TTL than 255'),
  version: refused('version', 'has another VRRP version'),
  invalidAuthenticationType: refused(
    'invalidAuthenticationType',
    'has an authentication type that does not exist',
  ),
  authenticationType: refused('authenticationType', 'has another authentication type'),
  password: refused('password', 'has another password'),
  interval: refused('interval', 'has another advertisement interval'),
  packetType: refused('packetType', 'is of another packet type'),
  totalLength: refused('totalLength', 'is shorter or longer than its IP header says'),
  checksum: refused('checksum', 'has a wrong checksum'),
  destination: refused('destination', 'was sent to another destination'),
  noAddress: refused('noAddress', 'of version 3 lists no address'),
  addressCount: refused('addressCount', 'has another number of addresses'),
  addressList: refused('addressList', 'has other addresses'),
  unicastSource: refused('unicastSource', 'comes from an address that is no unicast_peer'),
  unicastTtl: refused('unicastTtl', 'arrives with a TTL outside min_ttl and max_ttl'),
  ownAddress: refused('ownAddress', 'comes from this router\u2019s own address'),
  twoAddressOwners: refused('twoAddressOwners', 'has priority 255, and this router has it too'),
} as const satisfies Readonly<Record<ComplaintReason, ProblemRow> & Record<string, ProblemRow>>;
