/** The dedicated links: one kind, up to four, one of them the first choice (conntrackd 1.4.7). */
import { isMulticast, type IpAddress } from '../../base/ipAddress.js';
import type { SyncLink } from '../../sync/settings.js';
import type { multicastRows, syncRows, tcpRows, unicastRows } from '../keywords/conntrackdRows.js';
import { last, type BlockValue, type Located, type Rows, type Values } from '../table/row.js';
import { optional, valueOf, type BuildContext } from './context.js';

export type SyncValues = Values<typeof syncRows>;
type LinkBlock<R extends Rows> = Located<BlockValue<R>>;

type AnyLinkBlock =
  LinkBlock<typeof multicastRows> | LinkBlock<typeof unicastRows> | LinkBlock<typeof tcpRows>;

const linkLimit = 4;

export function buildLinks(
  values: SyncValues,
  sync: Located<unknown>,
  context: BuildContext,
): readonly SyncLink[] {
  const { problems } = context;
  const blocks = [...values.Multicast, ...values.UDP, ...values.TCP].sort(
    (a, b) => a.at.line - b.at.line || a.at.column - b.at.column,
  );
  const [first] = blocks;
  if (first === undefined) {
    problems.error(sync.at, 'missing-keyword', "'Sync' lacks its dedicated link", {
      expected: 'a block UDP { }, Multicast { } or TCP { }',
    });
    return [];
  }
  for (const block of blocks) {
    if (block.keyword === first.keyword) continue;
    const message = `'${block.keyword}' beside '${first.keyword}': all dedicated links are of one kind`;
    problems.error(block.at, 'mixed-links', message, { expected: first.keyword });
  }
  const beyond = blocks[linkLimit];
  if (beyond !== undefined) {
    problems.error(beyond.at, 'out-of-range', 'there can be at most 4 dedicated links');
  }
  const links = [
    ...values.Multicast.map((block) => multicastLink(block, context)),
    ...values.UDP.map((block) => unicastLink(block, 'udp', context)),
    ...values.TCP.map((block) => unicastLink(block, 'tcp', context)),
  ].filter((link) => link !== undefined);
  return withOneDefault(links);
}

/** The last one marked `Default`, else the first. */
function withOneDefault(links: readonly SyncLink[]): readonly SyncLink[] {
  const chosen = Math.max(0, links.map((link) => link.isDefault).lastIndexOf(true));
  return links.map((link, i) => ({ ...link, isDefault: i === chosen }));
}

function multicastLink(
  block: LinkBlock<typeof multicastRows>,
  context: BuildContext,
): SyncLink | undefined {
  const { values } = block.value;
  const group = addressOf(block, values.IPv4_address, values.IPv6_address, 'address', context);
  const port = required(block, values.Group, 'Group', 'a UDP port, by convention 3780', context);
  const common = commonOf(block, context);
  if (group === undefined || port === undefined || common === undefined) return undefined;
  if (!isMulticast(group.value)) {
    context.problems.error(group.at, 'bad-address', 'this is no multicast group', {
      expected: '224.0.0.0/4 or ff00::/8',
    });
  }
  return {
    kind: 'multicast',
    family: group.value.family,
    ...optional('localAddress', valueOf(values.IPv4_interface)),
    destination: group.value,
    port,
    ...common,
    errorQueueLength: 0,
  };
}

function unicastLink(
  block: LinkBlock<typeof unicastRows> | LinkBlock<typeof tcpRows>,
  kind: 'udp' | 'tcp',
  context: BuildContext,
): SyncLink | undefined {
  const { values } = block.value;
  // conntrackd 1.4.7 listens on every address of the device then, and VyOS may write it so.
  const isLocalOpen = kind === 'udp' && isAbsent(block, 'address');
  const local = isLocalOpen
    ? undefined
    : addressOf(block, values.IPv4_address, values.IPv6_address, 'address', context);
  const peer = addressOf(
    block,
    values.IPv4_Destination_Address,
    values.IPv6_Destination_Address,
    'Destination_Address',
    context,
  );
  const port = required(block, values.Port, 'Port', 'a port, by convention 3780', context);
  const common = commonOf(block, context);
  if (peer === undefined || port === undefined || common === undefined) return undefined;
  if (local === undefined && !isLocalOpen) return undefined;
  if (local !== undefined && local.value.family !== peer.value.family) {
    const message = 'own address and destination are of different families';
    context.problems.error(peer.at, 'bad-address', message, {
      expected: `an IPv${local.value.family} address`,
    });
  }
  return {
    kind,
    family: peer.value.family,
    ...optional('localAddress', local?.value),
    destination: peer.value,
    port,
    ...common,
    errorQueueLength: queueLength(values),
  };
}

function queueLength(values: Values<typeof unicastRows> | Values<typeof tcpRows>): number {
  return 'ErrorQueueLength' in values ? (valueOf(values.ErrorQueueLength) ?? 128) : 128;
}

/** The IPv4 or the IPv6 spelling of an address; exactly one may stand. */
function addressOf(
  block: AnyLinkBlock,
  ipv4: readonly Located<IpAddress>[],
  ipv6: readonly Located<IpAddress>[],
  name: string,
  { problems }: BuildContext,
): Located<IpAddress> | undefined {
  const [four, six] = [last(ipv4), last(ipv6)];
  if (four !== undefined && six !== undefined) {
    problems.error(six.at, 'bad-address', `'${six.keyword}' beside '${four.keyword}'`, {
      expected: 'one of them',
    });
  }
  const found = four ?? six;
  if (found === undefined && isAbsent(block, name)) {
    problems.error(block.at, 'missing-keyword', `'${block.keyword}' lacks its IPv4_${name}`, {
      expected: `a line IPv4_${name} or IPv6_${name}`,
    });
  }
  return found;
}

/** Neither spelling stands there, not even with a value that is refused. */
function isAbsent({ value: { mentioned } }: AnyLinkBlock, name: string): boolean {
  return ![4, 6].some((family) => mentioned.has(`IPv${family}_${name}`));
}

function required<T>(
  block: AnyLinkBlock,
  values: readonly Located<T>[],
  keyword: string,
  expected: string,
  { problems }: BuildContext,
): T | undefined {
  const value = valueOf(values);
  if (value === undefined && !block.value.mentioned.has(keyword)) {
    const message = `'${block.keyword}' lacks '${keyword}'`;
    problems.error(block.at, 'missing-keyword', message, { expected });
  }
  return value;
}

type Common = Pick<
  SyncLink,
  'interfaceName' | 'isDefault' | 'sendBufferBytes' | 'receiveBufferBytes' | 'checksum'
>;

function commonOf(block: AnyLinkBlock, context: BuildContext): Common | undefined {
  const { header, values } = block.value;
  const [mark] = header;
  if (mark !== undefined && mark !== 'Default') {
    const message = `'${mark}' behind '${block.keyword}' is not known`;
    context.problems.error(block.at, 'bad-value', message, { expected: 'Default, or {' });
  }
  const located = last(values.Interface);
  const expected = 'the name of the dedicated link';
  const interfaceName = required(block, values.Interface, 'Interface', expected, context);
  if (interfaceName === undefined || located === undefined) return undefined;
  context.uses.push({ kind: 'interface', name: interfaceName, at: located.at });
  return {
    interfaceName,
    isDefault: mark === 'Default',
    ...optional('sendBufferBytes', valueOf(values.SndSocketBuffer)),
    ...optional('receiveBufferBytes', valueOf(values.RcvSocketBuffer)),
    checksum: valueOf(values.Checksum) ?? true,
  };
}
