/**
 * Every script of a configuration and the user it runs as: what `check` tells, and what the daemon
 * keeps capabilities for.
 */
import type { ScriptCommand } from '../vrrp/settings.js';
import type { NodeSettings } from './nodeSettings.js';

export interface ScriptUser {
  /** The program, without its arguments. */
  readonly program: string;
  readonly user: string;
}

/** keepalived's own user for scripts, where the machine has one. */
const scriptAccount = 'keepalived_script';

/**
 * Each program once for each user, in the order of the configuration. `userExists` of this machine;
 * undefined is taken for no. As chosen in vrrp/scripts/accounts.ts.
 */
export function scriptUsers(
  settings: NodeSettings,
  userExists: (name: string) => boolean | undefined,
): readonly ScriptUser[] {
  const { vrrp, runUser } = settings;
  const otherwise =
    vrrp.scriptUser?.user ??
    (userExists(scriptAccount) === true ? scriptAccount : (runUser ?? 'root'));
  const found = new Map<string, ScriptUser>();
  for (const { words, user = otherwise } of commandsIn(settings)) {
    const program = words[0] ?? '';
    found.set(`${user} ${program}`, { program, user });
  }
  return [...found.values()];
}

export function isRoot(user: string): boolean {
  return user === 'root' || user === '0';
}

/** Wherever in the settings they stand: what has `words` is a script. */
function commandsIn(value: unknown): readonly ScriptCommand[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (isCommand(value)) return [value];
  return Object.values(value).flatMap((one) => commandsIn(one));
}

function isCommand(value: object): value is ScriptCommand {
  return 'words' in value && Array.isArray(value.words);
}
