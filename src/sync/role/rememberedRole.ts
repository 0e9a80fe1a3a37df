/**
 * The last change of role, and what followed in that role: told again to an engine that is started
 * afresh.
 */
import type { SyncCommand } from '../messages.js';

export class RememberedRole {
  #commands: readonly SyncCommand[] = [];

  get commands(): readonly SyncCommand[] {
    return this.#commands;
  }

  /** An engine that is started afresh does not believe what is older than this either. */
  get epoch(): number {
    const [role] = this.#commands;
    return role !== undefined && 'epoch' in role ? role.epoch : -1;
  }

  note(command: SyncCommand): void {
    if ('epoch' in command && command.epoch < this.epoch) return;
    const first = this.#commands.slice(0, 1);
    if (changesRole(command)) this.#commands = [command];
    else if (command.kind === 'takeoverComplete') this.#commands = [...first, command];
    else if (command.kind === 'undoPreCommit') {
      this.#commands = [{ kind: 'becomeBackup', epoch: command.epoch, peerHeard: true }];
    } else if (command.kind === 'otherMasterHeard') this.#commands = [...first, command];
  }
}

/** Whether it begins another role, or a commit in advance. */
export function changesRole({ kind }: SyncCommand): boolean {
  return ['preCommit', 'becomeMaster', 'becomeBackup', 'becomeFault'].includes(kind);
}

/** That this node gave way is told on, not anew: the peer may know it already. */
export function withoutYield(command: SyncCommand): SyncCommand {
  if (command.kind !== 'becomeBackup') return command;
  const { kind, epoch, peerHeard } = command;
  return { kind, epoch, peerHeard };
}
