/**
 * Which events and actions of the three machines lives have reached, beside all that their
 * vocabularies name. Read from the lines of the machines' recorders (src/base/machineRecord.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A machine, the file of its vocabulary, and the type in it. */
const vocabularies = [
  ['coordinator', 'src/coordinator/vocabulary.ts', 'CoordinatorEvent', 'event'],
  ['coordinator', 'src/coordinator/vocabulary.ts', 'CoordinatorAction', 'action'],
  ['role', 'src/sync/role/roleEvents.ts', 'RoleCommandEvent', 'event'],
  ['role', 'src/sync/role/roleEvents.ts', 'WorkReport', 'event'],
  ['role', 'src/sync/role/roleEvents.ts', 'RoleEvent', 'event'],
  ['role', 'src/sync/role/roleActions.ts', 'RoleAction', 'action'],
  ['vrrp', 'src/vrrp/machine/events.ts', 'UnitEvent', 'event'],
] as const;

export class Coverage {
  readonly #reached = new Map<string, number>();

  /** A line of a recorder; lines of settings and states say nothing. */
  line(line: object): void {
    if (!('event' in line)) return;
    const machine = 'machine' in line ? String(line.machine) : 'vrrp';
    this.#count(machine, 'event', line.event);
    if (!('actions' in line) || !Array.isArray(line.actions)) return;
    for (const action of line.actions as readonly unknown[]) this.#count(machine, 'action', action);
  }

  add(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) {
      this.#reached.set(name, (this.#reached.get(name) ?? 0) + count);
    }
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#reached);
  }

  /** `machine event kind` of each that was never reached. */
  missing(root: string): readonly string[] {
    return vocabularies.flatMap(([machine, file, type, what]) =>
      kindsOf(readFileSync(join(root, file), 'utf8'), type)
        .map((kind) => `${machine} ${what} ${kind}`)
        .filter((name) => !this.#reached.has(name)),
    );
  }

  #count(machine: string, what: 'event' | 'action', of: unknown): void {
    if (typeof of !== 'object' || of === null || !('kind' in of)) return;
    const name = `${machine} ${what} ${String(of.kind)}`;
    this.#reached.set(name, (this.#reached.get(name) ?? 0) + 1);
  }
}

/** The kinds of a union in its source: up to the semicolon that ends the type. */
function kindsOf(text: string, type: string): readonly string[] {
  const from = text.indexOf(`export type ${type} =`);
  if (from < 0) throw new Error(`no type ${type}`);
  const end = text.slice(from).search(/;\n\n|;\n$/);
  const union = text.slice(from, end < 0 ? undefined : from + end);
  return [...union.matchAll(/\bkind: ((?:\| )?'\w+'(?:\s*\| '\w+')*)/g)].flatMap(([, kinds = '']) =>
    [...kinds.matchAll(/'(\w+)'/g)].map(([, kind = '']) => kind),
  );
}
