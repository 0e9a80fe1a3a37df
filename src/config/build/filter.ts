/** `Filter { }`: which connections are replicated. */
import type { FilterSettings } from '../../sync/settings.js';
import { nearestWord } from '../nearest.js';
import type { addressRows, filterRows } from '../keywords/conntrackdRows.js';
import type { PolicyList } from '../keywords/conntrackdTypes.js';
import { last, type BlockValue, type Located } from '../table/row.js';
import { optional, type BuildContext } from './context.js';
import type { FilterSet } from '../../sync/settings.js';

const sides = ['Userspace', 'Kernelspace'] as const;

export function buildFilter(
  blocks: readonly Located<BlockValue<typeof filterRows>>[],
  context: BuildContext,
): FilterSettings {
  const block = last(blocks);
  if (block === undefined) return { from: 'userspace' };
  const { header, values } = block.value;
  return {
    from: sideOf(header, block, context) === 'Kernelspace' ? 'kernelspace' : 'userspace',
    ...optional('protocol', numbers(last(values.Protocol)?.value)),
    ...optional('address', addresses(last(values.Address), context)),
    ...optional('tcpState', numbers(last(values.State)?.value)),
  };
}

function sideOf(
  header: readonly string[],
  block: Located<unknown>,
  { problems }: BuildContext,
): (typeof sides)[number] {
  const [from, side] = header;
  if (from === undefined) return 'Userspace';
  const found = from === 'From' ? sides.find((candidate) => candidate === side) : undefined;
  if (found !== undefined) return found;
  const nearest = nearestWord(side ?? from, sides);
  problems.error(block.at, 'bad-value', `'${header.join(' ')}' behind 'Filter' is not known`, {
    expected: 'From Userspace, From Kernelspace, or nothing',
    ...(nearest === undefined ? {} : { nearest }),
  });
  return 'Userspace';
}

function numbers(list: PolicyList | undefined): FilterSet<number> | undefined {
  return list === undefined ? undefined : { policy: list.policy, entries: list.numbers };
}

function addresses(
  block: Located<BlockValue<typeof addressRows>> | undefined,
  { problems }: BuildContext,
): FilterSettings['address'] {
  if (block === undefined) return undefined;
  const { header, values } = block.value;
  const [policy = ''] = header;
  if (policy !== 'Accept' && policy !== 'Ignore') {
    const nearest = nearestWord(policy, ['Accept', 'Ignore']);
    problems.error(block.at, 'bad-value', `'${policy}' behind 'Address' is not known`, {
      expected: 'Accept or Ignore',
      ...(nearest === undefined ? {} : { nearest }),
    });
    return undefined;
  }
  return {
    policy: policy === 'Accept' ? 'accept' : 'ignore',
    entries: [...values.IPv4_address, ...values.IPv6_address].map(({ value }) => value),
  };
}
