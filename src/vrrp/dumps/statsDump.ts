/** keepalived 2.2.7's counters as it writes them to keepalived.stats on SIGUSR2. Pure. */
import type { InstanceCounters } from '../machine/counters.js';
import type { InstanceSnapshot } from '../status/snapshot.js';

/** One block per instance; every line as in keepalived 2.2.7. */
export function statsText(instances: readonly InstanceSnapshot[]): string {
  return instances.map(statsBlock).join('');
}

function statsBlock({ name, counters, hmac }: InstanceSnapshot): string {
  return `VRRP Instance: ${name}
  Advertisements:
    Received: ${counters.advert_rcvd}
    Sent: ${counters.advert_sent}
  Became master: ${counters.become_master}
  Released master: ${counters.release_master}
  Packet Errors:
    Length: ${counters.packet_len_err}
    TTL: ${counters.ip_ttl_err}
    Invalid Type: ${counters.invalid_type_rcvd}
    Advertisement Interval: ${counters.advert_interval_err}
    Address List: ${counters.addr_list_err}
  Authentication Errors:
    Invalid Type: ${counters.invalid_authtype}
    Type Mismatch: ${counters.authtype_mismatch}
    Failure: ${counters.auth_failure}
${hmac === undefined ? '' : hmacLines(counters)}  Priority Zero:
    Received: ${counters.pri_zero_rcvd}
    Sent: ${counters.pri_zero_sent}
`;
}

/** Since keepalived 2.4, for instances with auth_hmac. */
function hmacLines(counters: InstanceCounters): string {
  return `  Authentication Extension Errors:
    Missing: ${counters.auth_ext_missing}
    Malformed: ${counters.auth_ext_malformed}
    Unknown Key: ${counters.auth_ext_unknown_key}
    Invalid HMAC: ${counters.auth_ext_invalid_hmac}
    Stale: ${counters.auth_ext_stale}
    Replay: ${counters.auth_ext_replay}
`;
}
