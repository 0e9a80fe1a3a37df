/**
 * vrrp_script, track_file, vrrp_track_process and vrrp_track_target, and the references to them.
 */
import { seconds } from '../../base/time.js';
import type {
  TrackFileSettings,
  TrackProcessSettings,
  TrackReference,
  TrackScriptSettings,
  Tracking,
  TrackTargetSettings,
} from '../../vrrp/settings.js';
import { nearestWord } from '../nearest.js';
import type { RootValues } from '../keywords/rootRows.js';
import type { TrackItem } from '../keywords/tracking.js';
import { last, type Located } from '../table/row.js';
import { buildScript } from './notify.js';
import { allItems, optional, valueOf, type BuildContext } from './context.js';
import { buildTarget } from './target.js';

export interface Trackers {
  readonly scripts: readonly TrackScriptSettings[];
  readonly files: readonly TrackFileSettings[];
  readonly processes: readonly TrackProcessSettings[];
  readonly targets?: readonly TrackTargetSettings[];
}

export function buildTrackers(root: RootValues, context: BuildContext): Trackers {
  const targets = uniquelyNamed(root.vrrp_track_target, context).flatMap((it) =>
    buildTarget(it, context),
  );
  return {
    ...(targets.length === 0 ? {} : { targets }),
    scripts: firstNamed(root.vrrp_script, context).flatMap((it) => buildCheck(it, context)),
    files: firstNamed(root.track_file, context).flatMap((it) => buildFile(it, context)),
    processes: firstNamed(root.vrrp_track_process, context).flatMap((it) =>
      buildProcess(it, context),
    ),
  };
}

interface Named {
  readonly header: readonly string[];
}

/** Reports blocks of one kind whose name was taken, and leaves them out. */
export function uniquelyNamed<T extends Named>(
  blocks: readonly Located<T>[],
  { problems }: BuildContext,
): readonly Located<T>[] {
  return withoutRepeated(blocks, nameOf, ({ value, at, keyword }, line) => {
    const message = `a ${keyword} named '${nameOf(value)}' stands already in line ${line}`;
    problems.error(at, 'duplicate-name', message, { expected: 'another name' });
  });
}

/** Of trackers with one name keepalived 2.2.7 takes the first, without a word. */
function firstNamed<T extends Named>(
  blocks: readonly Located<T>[],
  { problems }: BuildContext,
): readonly Located<T>[] {
  return withoutRepeated(blocks, nameOf, ({ value, at, keyword }, line) => {
    const message = `a ${keyword} named '${nameOf(value)}' stands already in line ${line}; the first one counts`;
    problems.warning(at, 'repeated', message, { expected: 'another name', fix: { kind: 'drop' } });
  });
}

function withoutRepeated<T>(
  all: readonly Located<T>[],
  nameIn: (value: T) => string,
  report: (repeated: Located<T>, lineOfFirst: number) => void,
): readonly Located<T>[] {
  const seen = new Map<string, number>();
  return all.filter((located) => {
    const line = seen.get(nameIn(located.value));
    if (line === undefined) seen.set(nameIn(located.value), located.at.line);
    else report(located, line);
    return line === undefined;
  });
}

export function nameOf(value: Named): string {
  return value.header[0] ?? '';
}

type BlockOf<K extends keyof RootValues> = RootValues[K][number];

function buildCheck(
  { value, at }: BlockOf<'vrrp_script'>,
  context: BuildContext,
): readonly TrackScriptSettings[] {
  const { values } = value;
  const script = last(values.script);
  if (script === undefined) reportMissing('script', value, at, context);
  const [user, group] = valueOf(values.user) ?? [];
  const account = { ...optional('user', user), ...optional('group', group) };
  const interval = seconds(valueOf(values.interval) ?? 1);
  const timeout = valueOf(values.timeout);
  const weight = valueOf(values.weight);
  return [
    {
      name: nameOf(value),
      command:
        script === undefined
          ? { words: [] }
          : buildScript({ ...script, value: { ...script.value, ...account } }, context),
      interval,
      timeout: timeout === undefined ? interval : seconds(timeout),
      weight: weight?.weight ?? 0,
      isReversed: weight?.isReversed ?? false,
      rise: valueOf(values.rise) ?? 1,
      fall: valueOf(values.fall) ?? 1,
      initFail: valueOf(values.init_fail) ?? false,
    },
  ];
}

function buildFile(
  { value, at }: BlockOf<'track_file'>,
  context: BuildContext,
): readonly TrackFileSettings[] {
  const file = last(value.values.file);
  const path = file?.value;
  if (file === undefined) reportMissing('file', value, at, context);
  else warnRelativePath(file.value, file.at, context);
  const weight = valueOf(value.values.weight);
  return [
    {
      name: nameOf(value),
      path: path ?? '',
      weight: weight?.weight ?? 1,
      isReversed: weight?.isReversed ?? false,
      ...optional('init', valueOf(value.values.init_file)),
    },
  ];
}

/** A path that begins below the folder in which the daemon happens to start. */
export function warnRelativePath(
  path: string,
  at: Located<unknown>['at'],
  { problems }: BuildContext,
): void {
  if (path.startsWith('/')) return;
  const message = `'${path}' is looked for below the folder in which the daemon starts: / under systemd`;
  problems.warning(at, 'relative-path', message, { expected: 'an absolute path' });
}

function buildProcess(
  { value, at }: BlockOf<'vrrp_track_process'>,
  context: BuildContext,
): readonly TrackProcessSettings[] {
  const { values } = value;
  const words = valueOf(values.process);
  if (words === undefined) reportMissing('process', value, at, context);
  const weight = valueOf(values.weight);
  const delay = valueOf(values.delay) ?? 0;
  return [
    {
      name: nameOf(value),
      words: words ?? [],
      ...optional('parameterMatch', valueOf(values.param_match)),
      fullCommand: valueOf(values.full_command) ?? false,
      weight: weight?.weight ?? 0,
      isReversed: weight?.isReversed ?? false,
      quorum: valueOf(values.quorum) ?? 1,
      ...optional('quorumMax', valueOf(values.quorum_max)),
      forkDelay: seconds(valueOf(values.fork_delay) ?? delay),
      terminateDelay: seconds(valueOf(values.terminate_delay) ?? delay),
    },
  ];
}

function reportMissing(
  keyword: string,
  value: Named & { readonly mentioned: ReadonlySet<string> },
  at: Located<unknown>['at'],
  { problems }: BuildContext,
): void {
  if (value.mentioned.has(keyword)) return;
  const message = `'${nameOf(value)}' lacks '${keyword}'`;
  problems.error(at, 'missing-keyword', message, { expected: `a line ${keyword} ...` });
}

/** The tracking keywords of a group or instance. */
export interface TrackingValues {
  readonly track_interface: readonly Located<readonly Located<TrackItem>[]>[];
  readonly track_script: readonly Located<readonly Located<TrackItem>[]>[];
  readonly track_file: readonly Located<readonly Located<TrackItem>[]>[];
  readonly track_process: readonly Located<readonly Located<TrackItem>[]>[];
  readonly track_target: readonly Located<readonly Located<TrackItem>[]>[];
}

/** References whose target is missing are reported; `ownInterface` is tracked anyhow. */
export function buildTracking(
  values: TrackingValues,
  trackers: Trackers,
  ownInterface: string | undefined,
  context: BuildContext,
): Tracking {
  const interfaces = firstItems(values.track_interface, context).filter(({ value, at }) => {
    if (value.name !== ownInterface) return true;
    const message = `'${value.name}' is the instance's own interface and tracked anyhow`;
    context.problems.warning(at, 'own-interface', message, { expected: 'another interface' });
    return false;
  });
  for (const { value, at } of interfaces) {
    context.uses.push({ kind: 'interface', name: value.name, at });
  }
  const known = trackers.targets ?? [];
  const targets = references(values.track_target, known, 'vrrp_track_target', context);
  return {
    ...(targets.length === 0 ? {} : { targets }),
    interfaces: interfaces.map(({ value }) => reference(value, 0, false)),
    scripts: references(values.track_script, trackers.scripts, 'vrrp_script', context),
    files: references(values.track_file, trackers.files, 'track_file', context),
    processes: references(values.track_process, trackers.processes, 'vrrp_track_process', context),
  };
}

/** What is tracked twice counts once, with the first weight (keepalived 2.2.7). */
function firstItems(
  values: readonly Located<readonly Located<TrackItem>[]>[],
  { problems }: BuildContext,
): readonly Located<TrackItem>[] {
  return withoutRepeated(
    allItems(values),
    ({ name }) => name,
    ({ value, at }, line) => {
      const message = `'${value.name}' is tracked already in line ${line}; the first one counts`;
      problems.warning(at, 'repeated', message, {
        expected: 'one of them',
        fix: { kind: 'drop' },
      });
    },
  );
}

interface Tracker {
  readonly name: string;
  readonly weight: number;
  readonly isReversed: boolean;
}

function references(
  values: readonly Located<readonly Located<TrackItem>[]>[],
  trackers: readonly Tracker[],
  kind: string,
  context: BuildContext,
): readonly TrackReference[] {
  return firstItems(values, context).flatMap(({ value, at }) => {
    const tracker = trackers.find(({ name }) => name === value.name);
    if (tracker !== undefined) return [reference(value, tracker.weight, tracker.isReversed)];
    const nearest = nearestWord(
      value.name,
      trackers.map(({ name }) => name),
    );
    const details = nearest === undefined ? { expected: `a ${kind} of that name` } : { nearest };
    context.problems.error(at, 'missing-reference', `there is no ${kind} '${value.name}'`, details);
    return [];
  });
}

function reference(item: TrackItem, weight: number, isReversed: boolean): TrackReference {
  return {
    name: item.name,
    weight: item.weight ?? weight,
    isReversed: item.isReversed ?? isReversed,
  };
}
