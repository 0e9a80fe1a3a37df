/**
 * Least privilege where no service manager sees to it: `run` leaves the capabilities that it has no
 * use for, and with `run_user` the user root, before it opens anything. Threads have capabilities
 * of their own and Node.js has several from its start: each of them leaves its own, and each later
 * one inherits what is left. For another user the program is executed anew.
 *
 * A script of root's gets by execve(2) what is in the bounding set. Where there is one, that set
 * stays as it is, so that what such scripts do goes on working; scripts with a user of their own
 * get nothing.
 */
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  capabilityBits,
  readCapabilities,
  type Capability,
  type CapabilitySets,
} from '../../base/capabilities.js';
import { KeepstateError } from '../../base/errors.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import { scriptUsers } from '../../config/scriptUsers.js';
import type { KernelOutcome } from '../../net/ports.js';
import { executeWith, narrowThreads, type Identity } from '../../net/socket/privileges.js';
import { findUser, readAccountFiles, type AccountFiles } from '../../vrrp/scripts/accounts.js';

/** What is left, and as whom; no identity: the user stays. */
export interface Narrowing {
  readonly capabilities: bigint;
  readonly identity?: Identity;
}

/** `<(cat a b)` of a shell stands below these. */
const readOnce = /^\/(dev|proc)\//;

/** Of `keepstate run`. */
interface StartOptions {
  readonly config: string;
  readonly control?: string;
}

export interface PrivilegeFacts {
  readonly uid: number;
  readonly sets: CapabilitySets;
  readonly accounts: AccountFiles;
}

/** Network, sockets below 1024, priorities; the modes of files that others own. */
const always: readonly Capability[] = [
  ...(['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_NICE'] as const),
];
const asRoot: readonly Capability[] = ['CAP_DAC_OVERRIDE', 'CAP_CHOWN'];
/** Key files and configuration stay root's, and a reload reads them. */
const asUser: readonly Capability[] = ['CAP_DAC_READ_SEARCH'];
const forScriptUsers: readonly Capability[] = ['CAP_SETUID', 'CAP_SETGID', 'CAP_KILL'];

/** What the daemon itself has a use for. */
export function neededCapabilities(settings: NodeSettings): bigint {
  const { runUser, netNamespace } = settings;
  const users = scriptUsers(settings, () => undefined).map(({ user }) => user);
  const hasOthers = users.some((user) => user !== (runUser ?? 'root'));
  return capabilityBits([
    ...always,
    ...(runUser === undefined ? asRoot : asUser),
    // Without a user of theirs, keepalived_script may be it.
    ...(runUser === undefined || hasOthers ? forScriptUsers : []),
    ...(netNamespace === undefined ? [] : (['CAP_SYS_ADMIN'] as const)),
  ]);
}

/** undefined where nothing is to be left. Throws KeepstateError('run-user') for an unknown user. */
export function planNarrowing(
  settings: NodeSettings,
  { uid, sets, accounts }: PrivilegeFacts,
): Narrowing | undefined {
  const { runUser } = settings;
  const capabilities = neededCapabilities(settings);
  if (uid !== 0) {
    const own = sets.permitted | sets.ambient;
    return (own & ~capabilities) === 0n ? undefined : { capabilities: own & capabilities };
  }
  if (runUser !== undefined) return { capabilities, identity: identityOf(runUser, accounts) };
  const uidOf = (name: string): number | undefined => findUser(accounts.passwd, name)?.uid;
  const scripts = scriptUsers(settings, (name) => uidOf(name) !== undefined);
  if (scripts.some(({ user }) => uidOf(user) === 0)) return undefined;
  const mayNarrow = (sets.effective & capabilityBits(['CAP_SETPCAP'])) !== 0n;
  if (!mayNarrow || (sets.bounding & ~capabilities) === 0n) return undefined;
  return { capabilities: sets.bounding & capabilities };
}

function identityOf(user: string, { passwd, group }: AccountFiles): Identity {
  const account = findUser(passwd, user);
  if (account === undefined) {
    throw new KeepstateError('run-user', `run_user: this machine has no user ${user}`);
  }
  const groups = group.split('\n').flatMap((line) => {
    const [, , gid, members = ''] = line.split(':');
    return gid !== undefined && members.split(',').includes(user) ? [Number(gid)] : [];
  });
  return { ...account, groups: [...new Set([account.gid, ...groups])] };
}

/**
 * Goes on with what is left; for `run_user` as the same program executed anew, which reads the
 * configuration again. Returns where no thread keeps more, and why not where some do. Throws
 * KeepstateError('run-user') where the user cannot be had.
 */
export function leavePrivileges(
  settings: NodeSettings,
  { config, control }: StartOptions,
): string | undefined {
  // The program that is executed does not do so again.
  const { KEEPSTATE_NARROWED: isDone, ...environment } = process.env;
  delete process.env['KEEPSTATE_NARROWED'];
  if (isDone !== undefined) return undefined;
  const accounts = readAccountFiles();
  const sets = readCapabilities(readFileSync('/proc/self/status', 'utf8'));
  const narrowing = planNarrowing(settings, { uid: process.geteuid?.() ?? 0, sets, accounts });
  if (narrowing === undefined) return undefined;
  const { capabilities, identity } = narrowing;
  if (identity === undefined) return refusal(narrowThreads(capabilities));
  if (readOnce.test(config)) return 'the configuration comes by a pipe and cannot be read twice';
  const { controlPath, stateDirectory } = settings.keepstate;
  const folders = [dirname(control ?? controlPath), stateDirectory];
  for (const path of folders) giveFolder(path, identity);
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const narrowed = { ...environment, KEEPSTATE_NARROWED: '1' };
  const reason = refusal(executeWith({ capabilities, identity }, words, narrowed));
  throw new KeepstateError(
    'run-user',
    `run_user: cannot become that user: ${reason ?? 'the program came back'}`,
  );
}

function refusal(outcome: KernelOutcome): string | undefined {
  if (outcome.kind === 'done') return undefined;
  return outcome.kind === 'refused' ? outcome.message : outcome.kind;
}

/** Throws KeepstateError('run-user') where `run_user` is wanted and this is root all the same. */
export function refuseRoot({ runUser }: NodeSettings): void {
  if (runUser === undefined || process.geteuid?.() !== 0) return;
  if (findUser(readAccountFiles().passwd, runUser)?.uid === 0) return;
  throw new KeepstateError(
    'run-user',
    `run_user ${runUser}: the daemon is still root; the configuration must be a regular file`,
  );
}

/** A folder of keepstate's own, with the files that root made in it. */
function giveFolder(path: string, { uid, gid }: Identity): void {
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const folder = lstatSync(path);
  // Others share a folder with these bits, such as /run/lock.
  if (!folder.isDirectory() || folder.uid !== 0 || (folder.mode & 0o1022) !== 0) return;
  for (const name of readdirSync(path)) {
    const file = lstatSync(join(path, name));
    if (file.uid === 0 && file.nlink === 1 && file.isFile()) chownSync(join(path, name), uid, gid);
  }
  chownSync(path, uid, gid);
}
