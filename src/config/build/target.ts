/** `vrrp_track_target`: from the values of a block to its settings. */
import { isLinkLocal, isMulticast } from '../../base/ipAddress.js';
import { seconds } from '../../base/time.js';
import type { TargetAddress, TrackTargetSettings } from '../../vrrp/settings.js';
import type { RootValues } from '../keywords/rootRows.js';
import { mostAddresses } from '../keywords/targetRows.js';
import { last, type Located } from '../table/row.js';
import { optional, valueOf, type BuildContext } from './context.js';

type Block = RootValues['vrrp_track_target'][number];
type Values = Block['value']['values'];

/** An empty list where the block says nothing that could be asked; that is reported. */
export function buildTarget(
  { value: { header, values, mentioned }, at }: Block,
  context: BuildContext,
): readonly TrackTargetSettings[] {
  const name = header[0] ?? '';
  const located = addressesOf(values);
  const kinds = ['icmp', 'icmp6', 'arp', 'tcp'];
  if (located.length === 0 && !kinds.some((kind) => mentioned.has(kind))) {
    const message = `'${name}' lacks an address`;
    context.problems.error(at, 'missing-keyword', message, {
      expected: 'a line icmp, icmp6, arp or tcp ...',
    });
  }
  const interfaceName = valueOf(values.interface);
  checkAddresses(located, name, interfaceName, context);
  checkSource(values, located, context);
  const addresses = located.map(({ value }) => value);
  const weight = valueOf(values.weight);
  if (interfaceName !== undefined) {
    const place = last(values.interface)?.at ?? at;
    context.uses.push({ kind: 'interface', name: interfaceName, at: place });
  }
  return [
    {
      name,
      addresses,
      required: requiredOf(values, addresses.length, name, context),
      ...optional('source', valueOf(values.source)),
      ...optional('interfaceName', interfaceName),
      ...timesOf(values),
      ...optional('ttl', valueOf(values.ttl)),
      weight: weight?.weight ?? 0,
      isReversed: weight?.isReversed ?? false,
    },
  ];
}

function timesOf(
  values: Values,
): Pick<TrackTargetSettings, 'interval' | 'timeout' | 'rise' | 'fall' | 'size'> {
  const interval = valueOf(values.interval) ?? 1;
  return {
    interval: seconds(interval),
    timeout: seconds(valueOf(values.timeout) ?? interval),
    rise: valueOf(values.rise) ?? 10,
    fall: valueOf(values.fall) ?? 5,
    size: valueOf(values.size) ?? 56,
  };
}

/** By kind, each in the order written. */
function addressesOf(values: Values): readonly Located<TargetAddress>[] {
  const plain = (kind: 'icmp' | 'arp', from: Values['icmp']): Located<TargetAddress>[] =>
    from.map((located) => ({ ...located, value: { kind, address: located.value } }));
  return [
    ...plain('icmp', values.icmp),
    ...plain('icmp', values.icmp6),
    ...plain('arp', values.arp),
    ...values.tcp.map((located) => ({
      ...located,
      value: { kind: 'tcp' as const, ...located.value },
    })),
  ];
}

function checkAddresses(
  located: readonly Located<TargetAddress>[],
  name: string,
  interfaceName: string | undefined,
  { problems }: BuildContext,
): void {
  for (const { value, at, keyword } of located) {
    if (interfaceName === undefined && needsInterface(value)) {
      const message = `'${keyword}' of '${name}' does not say by which interface`;
      problems.error(at, 'missing-keyword', message, { expected: 'a line interface ...' });
    }
    if (!isMulticast(value.address)) continue;
    problems.error(at, 'bad-address', `'${name}' cannot ask a multicast group`, {
      expected: 'the address of one machine',
    });
  }
  const tooMany = located[mostAddresses];
  if (tooMany === undefined) return;
  problems.error(tooMany.at, 'out-of-range', `'${name}' has ${located.length} addresses`, {
    expected: `at most ${mostAddresses}; more in a vrrp_track_target of another name`,
  });
}

function needsInterface({ kind, address }: TargetAddress): boolean {
  return kind === 'arp' || isLinkLocal(address);
}

function checkSource(
  values: Values,
  located: readonly Located<TargetAddress>[],
  { problems }: BuildContext,
): void {
  const source = last(values.source);
  if (source === undefined) return;
  if (located.every(({ value }) => value.address.family === source.value.family)) return;
  problems.error(source.at, 'bad-address', 'the source is of another family than an address', {
    expected: 'addresses of one family in one vrrp_track_target',
  });
}

/** `all`, `any` or `at_least`, of which one may stand. */
function requiredOf(
  values: Values,
  count: number,
  name: string,
  { problems }: BuildContext,
): number {
  const [first, second] = [...values.any, ...values.all, ...values.at_least];
  if (first !== undefined && second !== undefined) {
    const message = `'${first.keyword}' and '${second.keyword}' stand in '${name}'`;
    problems.error(second.at, 'contradiction', message, { expected: 'one of them' });
  }
  if (values.all.length > 0) return Math.max(1, count);
  const wanted = last(values.at_least);
  if (wanted === undefined) return 1;
  if (wanted.value <= count || count === 0) return wanted.value;
  problems.error(wanted.at, 'out-of-range', `'${name}' has ${count} addresses`, {
    expected: `at_least 1..${count}`,
  });
  return count;
}
