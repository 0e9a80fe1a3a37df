/** `auth_hmac { }` of keepalived 2.4. */
import { microseconds, seconds, type Microseconds } from '../../base/time.js';
import type { Authentication, HmacSettings } from '../../vrrp/settings.js';
import { hmacKeyRule } from '../keyText.js';
import type { hmacRows } from '../keywords/hmacRows.js';
import { last, type BlockValue, type Located } from '../table/row.js';
import { valueOf, type BuildContext } from './context.js';
import { buildKeys } from './keys.js';

export interface HmacSurroundings {
  readonly advertInterval: Microseconds;
  readonly authentication: Authentication;
  readonly strict: boolean;
}

/** undefined where there is no block, or one that cannot work (and is reported). */
export function buildHmac(
  block: Located<BlockValue<typeof hmacRows>> | undefined,
  around: HmacSurroundings,
  context: BuildContext,
): HmacSettings | undefined {
  if (block === undefined) return undefined;
  const { problems } = context;
  const { values } = block.value;
  const keys = buildKeys(values.key, hmacKeyRule, context);
  const activeKeyId = activeKey(block, keys, context);
  const mode = valueOf(values.mode) ?? 'enforce';
  if (around.authentication.kind === 'pass') {
    const message = "'auth_hmac' and 'authentication' exclude each other";
    problems.error(block.at, 'two-authentications', message, { expected: 'one of the two' });
  }
  if (around.strict && mode !== 'enforce') {
    const at = last(values.mode)?.at ?? block.at;
    problems.error(at, 'strict-mode', `strict mode demands 'mode enforce'`, {
      expected: 'mode enforce, or strict_mode off',
    });
  }
  if (activeKeyId === undefined) return undefined;
  const usual = Math.max(3 * around.advertInterval, seconds(5));
  const window = valueOf(values.time_window);
  return {
    keys,
    activeKeyId,
    antiReplay: valueOf(values.anti_replay) ?? 'time',
    timeWindow: window === undefined ? microseconds(usual) : seconds(window),
    mode,
  };
}

/**
 * keepalived 2.4 switches the extension off where the key is not defined: its adverts would then go
 * out unsigned, and everybody could be MASTER.
 */
function activeKey(
  block: Located<BlockValue<typeof hmacRows>>,
  keys: readonly { readonly id: number }[],
  { problems }: BuildContext,
): number | undefined {
  const { values, mentioned } = block.value;
  const active = last(values.active_key);
  // A key that is wrong was reported.
  const isReported =
    (mentioned.has('key') && keys.length < values.key.length) ||
    (active === undefined && mentioned.has('active_key'));
  if (active !== undefined && keys.some(({ id }) => id === active.value)) return active.value;
  if (isReported || (keys.length === 0 && mentioned.has('key'))) return undefined;
  const at = active?.at ?? block.at;
  const message =
    active === undefined
      ? "'auth_hmac' lacks 'active_key'"
      : `key ${active.value} of 'active_key' is not defined`;
  const known = keys.map(({ id }) => `active_key ${id}`).join(' or ');
  problems.error(at, 'undefined-key', message, {
    expected: known === '' ? 'key 1 file:PATH and active_key 1' : known,
  });
  return undefined;
}
