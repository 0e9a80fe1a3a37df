/** Trackers that do nothing, or not what they seem to. */
import type { WarningInputs } from './warnings.js';
import { allItems } from '../build/context.js';
import { nameOf } from '../build/trackers.js';

export function warnAboutTracking(inputs: WarningInputs): void {
  warnAboutUnused(inputs);
  warnAboutWeightsInGroups(inputs);
}

function warnAboutUnused({ root, problems }: WarningInputs): void {
  const blocks = [...root.vrrp_instance, ...root.vrrp_sync_group];
  const used = new Set(
    blocks.flatMap(({ value }) =>
      allItems([
        ...value.values.track_script,
        ...value.values.track_file,
        ...value.values.track_process,
      ]).map((item) => item.value.name),
    ),
  );
  for (const block of [...root.vrrp_script, ...root.track_file, ...root.vrrp_track_process]) {
    const name = nameOf(block.value);
    if (used.has(name)) continue;
    const message = `nothing tracks ${block.keyword} '${name}'`;
    problems.warning(block.at, 'unused', message, { expected: 'a track_ line that names it' });
  }
}

/** Members with different priorities could elect different masters, so their weights do not count. */
function warnAboutWeightsInGroups(inputs: WarningInputs): void {
  for (const group of inputs.settings.vrrp.groups) {
    if (group.trackingWeight) continue;
    for (const block of inputs.root.vrrp_instance) {
      if (group.members.includes(nameOf(block.value))) warnAboutMember(block, group.name, inputs);
    }
  }
}

function warnAboutMember(
  block: WarningInputs['root']['vrrp_instance'][number],
  group: string,
  { settings, problems }: WarningInputs,
): void {
  const instance = settings.vrrp.instances.find(({ name }) => name === nameOf(block.value));
  if (instance === undefined) return;
  const { tracking } = instance;
  const { values } = block.value;
  const tracked = [
    [values.track_interface, tracking.interfaces],
    [values.track_script, tracking.scripts],
    [values.track_file, tracking.files],
    [values.track_process, tracking.processes],
  ] as const;
  for (const [lists, references] of tracked) {
    for (const { value, at } of allItems(lists)) {
      const weight = references.find(({ name }) => name === value.name)?.weight ?? 0;
      if (weight === 0) continue;
      const message = `the weight of '${value.name}' does not count in a member of sync group '${group}'`;
      problems.warning(at, 'weight-in-group', message, {
        expected: 'the tracking in the group, or sync_group_tracking_weight',
      });
    }
  }
}
