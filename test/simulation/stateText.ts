/** What a node is and holds, in one line of a story. */
import type { Machine } from './node/machine.js';

export function stateText(machine: Machine): string {
  const { kernel, process } = machine;
  if (kernel === undefined) return 'without power';
  const flows = `${[...kernel.flows()].length} flows`;
  if (process?.node === undefined) return `no process, kernel ${flows}`;
  const roles = process.node.router.roles().units.map(({ state }) => state);
  const halted = process.main.isFrozen ? ', main stands still' : '';
  const engine = process.worker?.commands?.engine;
  const role = process.worker?.commands?.role;
  const worker =
    engine === undefined || role === undefined
      ? 'no worker'
      : `worker ${role.state.role} ${role.state.course.stage}, purge ${purgeText(role.state.purge)}, ` +
        `internal ${engine.internal.table.alive}, external ${engine.external.table.alive}`;
  return `${roles.join('/')}${halted}, ${worker}, kernel ${flows}`;
}

function purgeText({ due }: { readonly due?: number | undefined }): string {
  return due === undefined ? 'none' : 'due';
}
