/** Lines with keys become keys: files are read, and the places of keys are checked. */
import { createHash } from 'node:crypto';
import { Secret } from '../../base/secret.js';
import { decodeKey, type KeyRule } from '../keyText.js';
import type { KeyLine } from '../keywords/keyEntry.js';
import type { Located } from '../table/row.js';
import type { BuildContext } from './context.js';

export interface BuiltKey {
  readonly id: number;
  readonly secret: Secret;
}

/** Keys by number, each once; what cannot be read is a problem and left out. */
export function buildKeys(
  lines: readonly Located<KeyLine>[],
  rule: KeyRule,
  context: BuildContext,
): readonly BuiltKey[] {
  const keys = new Map<number, BuiltKey>();
  for (const line of lines) {
    const { id } = line.value;
    if (keys.has(id)) {
      const message = `key ${id} stands twice`;
      context.problems.error(line.at, 'key-twice', message, { expected: 'one key of each number' });
      continue;
    }
    const secret = secretOf(line, rule, context);
    if (secret !== undefined) keys.set(id, { id, secret });
  }
  return [...keys.values()];
}

function secretOf(
  { value: { id, source }, at }: Located<KeyLine>,
  rule: KeyRule,
  context: BuildContext,
): Secret | undefined {
  const { problems, keyFiles } = context;
  if (source.kind === 'inline') {
    const reason = keyFiles?.whyNotSecret(at.file);
    if (reason !== undefined) {
      const message = `${at.file} holds key ${id} and is not safe: ${reason}`;
      problems.error(at, 'key-file', message, {
        expected: `chown root ${at.file}; chmod 600 ${at.file}, or the key in a file of its own (file:PATH)`,
      });
    }
    return source.secret;
  }
  // The file is checked for another machine: its key files are there.
  if (keyFiles === undefined) return absentKey(source.path);
  const { path } = source;
  const file = keyFiles.read(path);
  if (file.kind !== 'text') {
    const reason = file.kind === 'missing' ? 'no such file' : file.reason;
    problems.error(at, 'key-file', `key file ${path}: ${reason}`, {
      expected: `a regular file of root's with mode 0600: keepstate key new --file ${path}`,
    });
    return undefined;
  }
  const decoded = decodeKey(file.text.trim(), rule);
  if (typeof decoded !== 'string') return decoded;
  const { expected } = rule;
  problems.error(at, 'bad-key', `key file ${path}: ${decoded}`, { expected });
  return undefined;
}

function absentKey(path: string): Secret {
  return new Secret(createHash('sha256').update(`no key: ${path}`).digest());
}
