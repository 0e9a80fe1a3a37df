/** The `conntrack` command: reads the command line, carries it out, and gives the exit code. */
import { KernelSession } from '../../conntrack/command/kernelSession.js';
import { followEvents } from './events.js';
import {
  countExpectations,
  createExpectation,
  deleteExpectation,
  flushExpectations,
  getExpectation,
  listExpectations,
} from './expectationCommands.js';
import {
  countFlows,
  createFlow,
  deleteFlows,
  flushFlows,
  getFlow,
  listFlows,
  showStatistics,
  updateFlows,
  type CommandContext,
  type Outcome,
} from './flowCommands.js';
import { helpText } from './help.js';
import type { Invocation } from './invocation.js';
import { readCommands } from './loadFile.js';
import type { Form } from './optionTable.js';
import { parseArguments } from './parse.js';
import type { CommandPorts } from './commandPorts.js';
import { exitCode, Refusal, usage } from './refusal.js';
import { helpHint, operationFailed, programVersion } from './report.js';

interface CommandEntry {
  readonly run: (invocation: Invocation, context: CommandContext) => Outcome | Promise<Outcome>;
  /** Said on standard error behind the work: a text, or one that begins with the count. */
  readonly summary?: string;
  readonly counted?: string;
  /** Nothing found is exit code 1. */
  readonly failsOnNone?: boolean;
}

const text = (make: (invocation: Invocation) => string): CommandEntry => ({
  run: (invocation, { ports }) => {
    ports.write(Buffer.from(make(invocation)));
    return { count: 0 };
  },
});

const entries: Readonly<Record<Form, CommandEntry>> = {
  '-L': { run: listFlows, counted: 'flow entries have been shown.' },
  '-G': { run: getFlow, counted: 'flow entries have been shown.', failsOnNone: true },
  '-I': { run: createFlow, counted: 'flow entries have been created.' },
  '-A': { run: createFlow, counted: 'flow entries have been added.' },
  '-U': { run: updateFlows, counted: 'flow entries have been updated.', failsOnNone: true },
  '-D': { run: deleteFlows, counted: 'flow entries have been deleted.', failsOnNone: true },
  '-E': {
    run: (invocation, { ports }) => followEvents(invocation, ports),
    counted: 'flow events have been shown.',
  },
  '-F': { run: flushFlows, summary: 'connection tracking table has been emptied.' },
  '-C': { run: countFlows },
  '-S': { run: showStatistics },
  '-V': text(() => `${programVersion}\n`),
  '-h': text(({ protocol }) => helpText(protocol)),
  '-L expect': { run: listExpectations, counted: 'expectations have been shown.' },
  '-G expect': { run: getExpectation, counted: 'expectations have been shown.' },
  '-I expect': { run: createExpectation, counted: 'expectations have been created.' },
  '-D expect': { run: deleteExpectation, counted: 'expectations have been deleted.' },
  '-E expect': {
    run: (invocation, { ports }) => followEvents(invocation, ports),
    counted: 'expectation events have been shown.',
  },
  '-F expect': { run: flushExpectations, summary: 'expectation table has been emptied.' },
  '-C expect': { run: countExpectations },
  '-S expect': { run: showStatistics },
};

/** `args`: the words behind the name of the command. */
export async function runConntrack(args: readonly string[], ports: CommandPorts): Promise<number> {
  const sessions = new Sessions();
  const context: CommandContext = {
    ports,
    session: () => sessions.get('list'),
    changes: () => sessions.get('change'),
  };
  try {
    const [first = '', path] = args;
    if (first === '-R' || first === '--load-file') {
      if (path === undefined) throw usage(`unknown option \`${first}'`);
      for (const invocation of readCommands(path, ports)) await runLoaded(invocation, context);
      return exitCode.done;
    }
    const invocation = parseArguments(args, ports.tell);
    sessions.form = invocation.form;
    return await runOne(invocation, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    ports.tell(`${programVersion}: ${error.message}`);
    if (error.exitCode === exitCode.usage) ports.tell(helpHint);
    return error.exitCode;
  } finally {
    sessions.close();
  }
}

async function runOne(invocation: Invocation, context: CommandContext): Promise<number> {
  const entry = entries[invocation.form];
  const { count } = await entry.run(invocation, context);
  summarise(entry, count, context);
  return entry.failsOnNone === true && count === 0 ? exitCode.failed : exitCode.done;
}

/** A line of a file: finding nothing is no failure, and only emptied tables are reported. */
async function runLoaded(invocation: Invocation, context: CommandContext): Promise<void> {
  const entry = entries[invocation.form];
  await entry.run(invocation, context);
  if (entry.summary !== undefined) summarise(entry, 0, context);
}

function summarise(
  { summary, counted }: CommandEntry,
  count: number,
  { ports }: CommandContext,
): void {
  const line = counted === undefined ? summary : `${count} ${counted}`;
  if (line !== undefined) ports.tell(`${programVersion}: ${line}`);
}

/** Sockets that are opened when first needed and closed at the end. */
class Sessions {
  form: Form = '-I';
  readonly #open = new Map<'list' | 'change', KernelSession>();

  /** Throws Refusal. */
  get(which: 'list' | 'change'): KernelSession {
    const found = this.#open.get(which);
    if (found !== undefined) return found;
    const opened = KernelSession.open();
    if (typeof opened === 'number') throw operationFailed(this.form, opened);
    this.#open.set(which, opened);
    return opened;
  }

  close(): void {
    for (const session of this.#open.values()) session.close();
  }
}
