/** The keys of sync_key on their way to the worker. */
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { SealStatus } from '../../sync/seal/sealStatus.js';
import type { SyncCommand } from '../../sync/messages.js';

/**
 * `sealedWith`: fingerprints that the peer has shown to have, in an earlier life too. Other keys
 * are a new roll-out.
 */
export function keysCommand(
  settings: NodeSettings,
  sealedWith: readonly string[],
): SyncCommand | undefined {
  const { syncKeys } = settings;
  if (syncKeys === undefined) return undefined;
  return {
    kind: 'keys',
    keys: syncKeys.map(({ id, secret }) => ({ id, bytes: secret.reveal() })),
    isPeerSealed: syncKeys.some(({ secret }) => sealedWith.includes(secret.fingerprint)),
  };
}

/**
 * What an operator should know of keys that a reload brings: the peer may not have them.
 * `sealedWith` as above; undefined where the peer has shown them.
 */
export function unshownKey(
  { sync }: NodeSettings,
  sealedWith: readonly string[],
  status: SealStatus | undefined,
): string | undefined {
  const seal = sync?.seal;
  if (seal === undefined) return undefined;
  const { keys, activeKeyId, auth } = seal;
  const fingerprint = keys.find(({ id }) => id === activeKeyId)?.fingerprint ?? '';
  const name = `key ${activeKeyId} (${fingerprint})`;
  const hasShownSome = keys.some((key) => sealedWith.includes(key.fingerprint));
  if (!hasShownSome) {
    return auth === 'permissive'
      ? `the peer has not shown ${name} yet: until it does, everything stays plain`
      : `the peer has not shown ${name} yet: until it does, nothing of it is taken`;
  }
  if (status !== undefined && hasShown(status, activeKeyId, fingerprint)) return undefined;
  return `the peer was not heard under ${name} yet: where it lacks that key, it takes nothing from here`;
}

/** Also where the key sealed before: then its peer has answered with it, in an earlier life too. */
function hasShown({ keys, heard, activeKeyId }: SealStatus, id: number, print: string): boolean {
  const isSame = keys.some((key) => key.id === id && key.fingerprint === print);
  return isSame && (heard[id] !== undefined || activeKeyId === id);
}
