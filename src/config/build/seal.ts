/** `sync_key` and the lines beside it: what seals the sync links and the peer channel. */
import type { SealSettings } from '../../sync/settings.js';
import { syncKeyRule } from '../keyText.js';
import { last } from '../table/row.js';
import { valueOf, type BuildContext } from './context.js';
import type { GlobalValues } from './globals.js';
import { buildKeys, type BuiltKey } from './keys.js';

/** `settings` without the keys themselves, which cross to the worker apart. */
export interface BuiltSeal {
  readonly settings: SealSettings;
  readonly keys: readonly BuiltKey[];
}

/** undefined where there is no key, or where what is wrong with them was reported. */
export function buildSeal(globals: GlobalValues, context: BuildContext): BuiltSeal | undefined {
  const { problems } = context;
  const { sync_key: lines, sync_active_key: active } = globals;
  const keys = buildKeys(lines, syncKeyRule, context);
  const first = lines[0];
  if (first === undefined) {
    reportKeyless(globals, context);
    return undefined;
  }
  const wanted = last(active);
  const isDefined = keys.some(({ id }) => id === wanted?.value);
  if (wanted === undefined || (!isDefined && keys.length === lines.length)) {
    const message =
      wanted === undefined
        ? "'sync_key' lacks 'sync_active_key'"
        : `key ${wanted.value} of 'sync_active_key' is not defined`;
    problems.error(wanted?.at ?? first.at, 'undefined-key', message, {
      expected: keys.map(({ id }) => `sync_active_key ${id}`).join(' or '),
    });
  }
  if (wanted === undefined || !isDefined) return undefined;
  const settings = {
    activeKeyId: wanted.value,
    keys: keys.map(({ id, secret }) => ({ id, fingerprint: secret.fingerprint })),
    auth: valueOf(globals.sync_auth) ?? 'enforce',
    encrypts: valueOf(globals.sync_encrypt) ?? true,
    isMultihop: valueOf(globals.peer_multihop) ?? false,
  };
  return { settings, keys };
}

/** Lines that say nothing without a key. */
function reportKeyless(globals: GlobalValues, { problems }: BuildContext): void {
  for (const name of ['sync_active_key', 'sync_auth', 'sync_encrypt', 'peer_multihop'] as const) {
    const located = last<unknown>(globals[name]);
    if (located === undefined || (name === 'peer_multihop' && located.value === false)) continue;
    problems.error(located.at, 'undefined-key', `'${name}' needs a key`, {
      expected: 'sync_key 1 file:PATH (keepstate key new --file PATH)',
    });
  }
}
