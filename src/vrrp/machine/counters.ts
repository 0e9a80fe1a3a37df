/**
 * Counters of one instance, named as in keepalived's JSON dump; `vers_err` and `chk_err` exist only
 * in its SNMP tables and here, `auth_ext_*` since keepalived 2.4. All start at zero and never wrap.
 */

export interface InstanceCounters {
  readonly advert_rcvd: number;
  readonly advert_sent: number;
  readonly become_master: number;
  readonly release_master: number;
  readonly packet_len_err: number;
  readonly advert_interval_err: number;
  readonly ip_ttl_err: number;
  readonly invalid_type_rcvd: number;
  readonly addr_list_err: number;
  readonly invalid_authtype: number;
  readonly authtype_mismatch: number;
  readonly auth_failure: number;
  readonly pri_zero_rcvd: number;
  readonly pri_zero_sent: number;
  readonly vers_err: number;
  readonly chk_err: number;
  readonly auth_ext_missing: number;
  readonly auth_ext_malformed: number;
  readonly auth_ext_unknown_key: number;
  readonly auth_ext_invalid_hmac: number;
  readonly auth_ext_stale: number;
  readonly auth_ext_replay: number;
}

export type CounterName = keyof InstanceCounters;

export const zeroCounters: InstanceCounters = {
  advert_rcvd: 0,
  advert_sent: 0,
  become_master: 0,
  release_master: 0,
  packet_len_err: 0,
  advert_interval_err: 0,
  ip_ttl_err: 0,
  invalid_type_rcvd: 0,
  addr_list_err: 0,
  invalid_authtype: 0,
  authtype_mismatch: 0,
  auth_failure: 0,
  pri_zero_rcvd: 0,
  pri_zero_sent: 0,
  vers_err: 0,
  chk_err: 0,
  auth_ext_missing: 0,
  auth_ext_malformed: 0,
  auth_ext_unknown_key: 0,
  auth_ext_invalid_hmac: 0,
  auth_ext_stale: 0,
  auth_ext_replay: 0,
};
