/**
 * Which role drives the sync engine. The keyword `conntrack_sync` decides; else notify lines that
 * call primary-backup.sh or a `conntrack_sync_script`; else the only group, or the only instance
 * where there is no group.
 */
import type { RoleBinding } from '../nodeSettings.js';
import type { Position } from '../problem.js';
import { last } from '../table/row.js';
import type { BuildContext } from './context.js';
import type { GroupBlock } from './group.js';
import type { InstanceBlock } from './instanceBlock.js';
import { syncLineOf } from './notify.js';
import { nameOf } from './trackers.js';

interface Candidate {
  readonly kind: 'group' | 'instance';
  readonly name: string;
  readonly at: Position;
  readonly because: string;
}

export function bindRole(
  groups: readonly GroupBlock[],
  instances: readonly InstanceBlock[],
  hasSync: boolean,
  { problems, syncScripts }: BuildContext,
): RoleBinding {
  const candidates = [
    ...groups.map((block) => candidateOf('group', block, syncScripts)),
    ...instances.map((block) => candidateOf('instance', block, syncScripts)),
  ].filter((candidate) => candidate !== undefined);
  const [first, second] = candidates;
  if (!hasSync) return { kind: 'none', because: 'the configuration has no Sync block' };
  if (second !== undefined && first !== undefined) {
    const message = `'${second.name}' and '${first.name}' both drive the synchronisation; several are not supported yet`;
    problems.error(second.at, 'several-bindings', message, {
      expected: 'one group over all of them, or conntrack_sync off in all but one',
    });
  }
  if (first !== undefined) return { kind: first.kind, name: first.name, because: first.because };
  return onlyOne(groups, instances, problems);
}

function candidateOf(
  kind: Candidate['kind'],
  block: GroupBlock | InstanceBlock,
  syncScripts: readonly string[],
): Candidate | undefined {
  const { values } = block.value;
  const name = nameOf(block.value);
  const keyword = last(values.conntrack_sync);
  if (keyword !== undefined) {
    return keyword.value ? { kind, name, at: keyword.at, because: 'conntrack_sync' } : undefined;
  }
  const line = syncLineOf(values, syncScripts);
  if (line === undefined) return undefined;
  const { at, script } = line;
  return { kind, name, at, because: `its notify line ${at.line} calls ${script}` };
}

function onlyOne(
  groups: readonly GroupBlock[],
  instances: readonly InstanceBlock[],
  problems: BuildContext['problems'],
): RoleBinding {
  const isExcluded = (block: GroupBlock | InstanceBlock): boolean =>
    last(block.value.values.conntrack_sync)?.value === false;
  const kind = groups.length > 0 ? 'group' : 'instance';
  const blocks: readonly (GroupBlock | InstanceBlock)[] = groups.length > 0 ? groups : instances;
  const [only, another] = blocks.filter((block) => !isExcluded(block));
  if (only === undefined) {
    return { kind: 'none', because: 'no group and no instance may drive the synchronisation' };
  }
  if (another === undefined) {
    return { kind, name: nameOf(only.value), because: `it is the only ${kind}` };
  }
  const message = `nothing says which ${kind} drives the synchronisation: connections are replicated, but never taken over`;
  problems.warning(another.at, 'no-binding', message, {
    expected: `conntrack_sync in one ${kind}, or one sync group over all instances`,
  });
  return { kind: 'none', because: `there are several ${kind}s and none says conntrack_sync` };
}
