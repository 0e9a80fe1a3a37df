/** What the builders share: where problems go, and what the machine is asked about afterwards. */
import type { KeyFiles } from '../loadPorts.js';
import type { Position, ProblemList } from '../problem.js';
import { last, type Located } from '../table/row.js';

/** Something that should exist on the machine; checked through a port, as a warning. */
export interface MachineUse {
  readonly kind: 'interface' | 'script' | 'user';
  readonly name: string;
  readonly at: Position;
  /** A notify line that keepstate runs: it must not do what keepstate does itself. */
  readonly isNotify?: boolean;
}

export interface BuildContext {
  readonly problems: ProblemList;
  readonly uses: MachineUse[];
  readonly hostName: string;
  /** undefined: the file is checked for another machine. */
  readonly keyFiles: KeyFiles | undefined;
  /** Scripts that only tell conntrackd of a role: they bind, and are not run. */
  readonly syncScripts: string[];
}

/** conntrackd's own, from its examples. */
const primaryBackup = 'primary-backup.sh';

export function buildContext(
  problems: ProblemList,
  hostName: string,
  keyFiles?: KeyFiles,
): BuildContext {
  return { problems, uses: [], hostName, keyFiles, syncScripts: [primaryBackup] };
}

/** The value that counts, without its place. */
export function valueOf<T>(values: readonly Located<T>[]): T | undefined {
  return last(values)?.value;
}

/** The entries of a list keyword that may stand several times. */
export function allItems<T>(
  values: readonly Located<readonly Located<T>[]>[],
): readonly Located<T>[] {
  return values.flatMap(({ value }) => value);
}

/** Adds a field only where there is a value (exactOptionalPropertyTypes). */
export function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  // A computed key widens to string.
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}
