/** Unicast or multicast: source, peers, group, TTL. */
import { formatIp, isMulticast, type IpFamily } from '../../base/ipAddress.js';
import type { InstanceSettings } from '../../vrrp/settings.js';
import { last, type Located } from '../table/row.js';
import type { IpAddress } from '../../base/ipAddress.js';
import { allItems, optional, valueOf, type BuildContext } from './context.js';
import type { InstanceDefaults } from './globals.js';
import type { InstanceBlock, InstanceValues } from './instanceBlock.js';

type Transport = Pick<
  InstanceSettings,
  | 'sourceAddress'
  | 'trackSourceAddress'
  | 'unicastPeers'
  | 'checkUnicastSource'
  | 'unicastTtl'
  | 'multicastGroup'
>;

export function buildTransport(
  block: InstanceBlock,
  family: IpFamily,
  strict: boolean,
  defaults: InstanceDefaults,
  context: BuildContext,
): Transport {
  const { values } = block.value;
  const peers = allItems(values.unicast_peer);
  checkFamilies(values, family, context);
  checkUnicast(values, peers.length > 0, strict, context);
  const limitsTtl = peers.some(
    ({ value }) => value.minTtl !== undefined || value.maxTtl !== undefined,
  );
  const source = last([...values.mcast_src_ip, ...values.unicast_src_ip])?.value;
  const group = family === 4 ? defaults.multicastGroup4 : defaults.multicastGroup6;
  return {
    ...optional('sourceAddress', source),
    trackSourceAddress: valueOf(values.track_src_ip) ?? false,
    unicastPeers: peers.map(({ value }) => value),
    checkUnicastSource:
      limitsTtl || (valueOf(values.check_unicast_src) ?? defaults.checkUnicastSource),
    unicastTtl: valueOf(values.unicast_ttl) ?? 255,
    multicastGroup: valueOf(values.mcast_dst_ip) ?? group,
  };
}

function checkFamilies(values: InstanceValues, family: IpFamily, context: BuildContext): void {
  const located: readonly Located<IpAddress>[] = [
    ...values.unicast_src_ip,
    ...values.mcast_src_ip,
    ...values.mcast_dst_ip,
    ...allItems(values.unicast_peer).map(({ value, at }) => ({
      value: value.address,
      at,
      keyword: 'unicast_peer',
    })),
  ];
  for (const { value, at, keyword } of located) {
    if (value.family === family) continue;
    const message = `${formatIp(value)} of '${keyword}' is not of the family of the virtual addresses`;
    context.problems.error(at, 'bad-address', message, { expected: `an IPv${family} address` });
  }
  for (const { value, at } of values.mcast_dst_ip) {
    if (isMulticast(value)) continue;
    context.problems.error(at, 'bad-address', `${formatIp(value)} is no multicast group`, {
      expected: family === 4 ? '224.0.0.0/4' : 'ff02::/16',
    });
  }
}

function checkUnicast(
  values: InstanceValues,
  hasPeers: boolean,
  strict: boolean,
  { problems }: BuildContext,
): void {
  const source = last(values.unicast_src_ip);
  if (source !== undefined && !hasPeers) {
    const message = "'unicast_src_ip' without unicast_peer: advertisements go out by multicast";
    const details = {
      expected: 'unicast_peer { ADDRESS }, or mcast_src_ip',
      fix: { kind: 'word', from: 'unicast_src_ip', to: 'mcast_src_ip' },
    } as const;
    const isRefused = valueOf(values.unicast_fault_no_peer) ?? false;
    if (isRefused) problems.error(source.at, 'unicast-without-peer', message, details);
    else problems.warning(source.at, 'unicast-without-peer', message, details);
  }
  const empty = hasPeers || source !== undefined ? undefined : last(values.unicast_peer);
  if (empty !== undefined) {
    const message = "'unicast_peer' names nobody: advertisements go out by multicast";
    const details = { expected: 'the addresses of the peers', fix: { kind: 'drop' } } as const;
    problems.warning(empty.at, 'unicast-without-peer', message, details);
  }
  const ignored = hasPeers ? last(values.mcast_dst_ip) : undefined;
  if (ignored !== undefined) {
    const message = "'mcast_dst_ip' has no effect beside unicast_peer";
    problems.warning(ignored.at, 'no-effect', message, { expected: 'one of them' });
  }
  const peers = last(values.unicast_peer);
  if (peers !== undefined && strict) {
    const message = 'strict mode knows no unicast; keepalived 2.2.7 says so and carries on';
    problems.warning(peers.at, 'strict-mode', message, { expected: 'strict_mode off' });
  }
}
