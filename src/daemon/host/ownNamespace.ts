/** keepalived's `net_namespace`: where the whole process belongs before it opens anything. */
import { join } from 'node:path';
import { KeepstateError } from '../../base/errors.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import { enterNetworkNamespace } from '../../net/socket/networkNamespace.js';

/** Throws KeepstateError('namespace') where it cannot be entered. */
export function enterOwnNamespace({ netNamespace: name }: NodeSettings): void {
  if (name === undefined) return;
  const outcome = enterNetworkNamespace(join('/run/netns', name));
  if (outcome.kind !== 'refused') return;
  throw new KeepstateError(
    'namespace',
    `cannot enter the network namespace ${name} (net_namespace): ${outcome.message}`,
  );
}
