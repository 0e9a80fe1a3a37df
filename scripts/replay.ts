/**
 * `npm run replay -- FILE`: lives a recording again and prints each event with what it led to:
 * those of VRRP, of the coordinator, of the sync worker's role and of the agreement, in the order in
 * which they happened. Where all but VRRP do otherwise now than when they were recorded, both are
 * shown, and the exit code is 1. A recording of 0.1.0 has VRRP alone.
 */
import { readFileSync } from 'node:fs';
import { MachineReplay } from '../src/base/machineRecord.js';
import { agreementStep } from '../src/agreement/machine.js';
import { coordinatorStep } from '../src/coordinator/step.js';
import { roleStep } from '../src/sync/role/machine.js';
import { fromJsonLine, replay, toJsonLine } from '../src/vrrp/machine/recording.js';

interface LivedStep {
  readonly event: unknown;
  readonly recorded: readonly unknown[];
  readonly actions: readonly unknown[];
  /** What the machine is after it. */
  readonly summary: string;
}

type Line<Machine extends { readonly line: (line: never) => unknown }> = Parameters<
  Machine['line']
>[0];

/** The machines besides VRRP's, each with its lines as they were parsed. */
function machines(): ReadonlyMap<string, (line: unknown) => LivedStep | undefined> {
  const coordinator = new MachineReplay(coordinatorStep);
  const role = new MachineReplay(roleStep);
  const agreement = new MachineReplay(agreementStep);
  // Lines of a recording are what these machines wrote; unknown members change nothing.
  return new Map<string, (line: unknown) => LivedStep | undefined>([
    ['coordinator', (line) => withEpoch(coordinator.line(line as Line<typeof coordinator>))],
    ['role', (line) => withEpoch(role.line(line as Line<typeof role>))],
    [
      'agreement',
      (line) => {
        const step = agreement.line(line as Line<typeof agreement>);
        if (step === undefined) return undefined;
        return { ...step, summary: `${step.state.own.role}, term ${step.state.term}` };
      },
    ],
  ]);
}

function withEpoch<
  Step extends { readonly state: { readonly role: string; readonly epoch: number } },
>(step: Step | undefined): (Step & { readonly summary: string }) | undefined {
  if (step === undefined) return undefined;
  return { ...step, summary: `${step.state.role}, epoch ${step.state.epoch}` };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Number of events that led to something else. */
function printMachine(name: string, { event, recorded, actions, summary }: LivedStep): number {
  print(toJsonLine({ machine: name, event }));
  for (const action of actions) print(`  ${toJsonLine(action)}`);
  print(`  = ${name} ${summary}`);
  if (toJsonLine(recorded) === toJsonLine(actions)) return 0;
  for (const action of recorded) print(`  recorded: ${toJsonLine(action)}`);
  return 1;
}

/** Lines of VRRP, in order; those of the others are printed on the way. */
class OtherMachines {
  different = 0;
  readonly #machines = machines();

  *passing(lines: Iterable<string>): Generator<string> {
    for (const text of lines) {
      const name = text.trim() === '' ? undefined : machineOf(fromJsonLine(text));
      if (name === undefined) yield text;
      else this.#live(name, text);
    }
  }

  #live(name: string, text: string): void {
    const step = this.#machines.get(name)?.(fromJsonLine(text));
    if (step !== undefined) this.different += printMachine(name, step);
  }
}

function machineOf(line: unknown): string | undefined {
  if (typeof line !== 'object' || line === null || !('machine' in line)) return undefined;
  return String(line.machine);
}

function main(path: string | undefined): number {
  if (path === undefined) {
    process.stderr.write('usage: npm run replay -- FILE\n');
    return 2;
  }
  const others = new OtherMachines();
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const { unit, event, actions, state } of replay(others.passing(lines))) {
    print(toJsonLine({ unit, event }));
    for (const action of actions) print(`  ${toJsonLine(action)}`);
    const members = Object.values(state.members).map((member) => `${member.name} ${member.state}`);
    print(`  = ${unit} ${state.role} (${members.join(', ')})`);
  }
  return others.different > 0 ? 1 : 0;
}

process.exitCode = main(process.argv[2]);
