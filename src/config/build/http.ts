/** The `http` block becomes settings. */
import { formatIp } from '../../base/ipAddress.js';
import type { HttpSettings } from '../../http/settings.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last } from '../table/row.js';
import { optional, type BuildContext } from './context.js';
import { refuseLongSocketPath } from './general.js';

export function buildHttp(root: RootValues, context: BuildContext): HttpSettings | undefined {
  const block = last(root.http);
  if (block === undefined) return undefined;
  const { listen, unix, allow } = block.value.values;
  const path = last(unix);
  if (listen.length === 0 && path === undefined && !block.value.mentioned.has('listen')) {
    context.problems.error(block.at, 'missing-keyword', "'http' serves nowhere", {
      expected: 'listen ADDRESS PORT, or unix PATH',
    });
  }
  refuseLongSocketPath(path, context);
  return {
    listen: listen.map(({ value: { address, port } }) => ({ address: formatIp(address), port })),
    ...optional('unixPath', path?.value),
    allow: allow.flatMap(({ value }) => value),
  };
}
