/** `authentication { }`: PASS of version 2, with everything that is odd about it said aloud. */
import type { Authentication, VrrpVersion } from '../../vrrp/settings.js';
import type { authenticationRows } from '../keywords/instanceRows.js';
import { last, type BlockValue, type Located } from '../table/row.js';
import { quoteWord } from '../table/printRows.js';
import type { BuildContext } from './context.js';

/** RFC 2338 section 5.3.6: eight bytes travel. */
const passwordBytes = 8;

const none: Authentication = { kind: 'none' };

export function buildAuthentication(
  block: Located<BlockValue<typeof authenticationRows>> | undefined,
  version: VrrpVersion,
  strict: boolean,
  { problems }: BuildContext,
): Authentication {
  if (block === undefined) return none;
  const type = last(block.value.values.auth_type);
  const password = last(block.value.values.auth_pass);
  if (type === undefined && block.value.mentioned.has('auth_type')) return none;
  if (type === undefined) {
    const message = 'without auth_type nothing is authenticated';
    problems.warning(block.at, 'no-authentication', message, { expected: 'auth_type PASS' });
    return none;
  }
  if (type.value === 'AH') {
    problems.error(type.at, 'not-supported', "'auth_type AH' is not supported", {
      expected: 'auth_type PASS, and a filter rule that admits only the peers',
    });
    return none;
  }
  if (version === 3 || strict) {
    const why = version === 3 ? 'VRRP version 3 has no authentication' : 'strict mode has none';
    problems.warning(block.at, 'no-authentication', `${why}; this block is left out`, {
      expected: 'no authentication block',
    });
    return none;
  }
  if (password === undefined && block.value.mentioned.has('auth_pass')) return none;
  if (password === undefined) {
    problems.error(type.at, 'missing-keyword', "'auth_type PASS' lacks its password", {
      expected: 'a line auth_pass ...',
    });
    return none;
  }
  return pass(password, problems);
}

function pass(password: Located<string>, problems: BuildContext['problems']): Authentication {
  const text = new TextEncoder().encode(password.value);
  if (text.length > passwordBytes) {
    const message = 'only the first 8 characters of the password travel';
    problems.warning(password.at, 'password-truncated', message, {
      expected: 'at most 8 characters, the same on all routers',
      fix: { kind: 'line', line: `auth_pass ${quoteWord(firstBytes(text))}` },
    });
  }
  const message = 'the password travels in clear text, readable by everyone on the segment';
  problems.warning(password.at, 'clear-text-password', message, {
    expected: 'filter rules that admit only the peers, beside it',
  });
  const bytes = new Uint8Array(passwordBytes);
  bytes.set(text.subarray(0, passwordBytes));
  return { kind: 'pass', bytes };
}

/** The characters that travel whole; one that is cut in its middle cannot be written down. */
function firstBytes(text: Uint8Array): string {
  return new TextDecoder().decode(text.subarray(0, passwordBytes)).replaceAll('\ufffd', '');
}
