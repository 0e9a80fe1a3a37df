/**
 * Verbs that change something: `sync`, `failover`, `maintenance`, `reload`. Each waits and says
 * what was done.
 */
import { Argument, type Command } from 'commander';
import { printableJson, printableLines } from '../base/printable.js';
import type { Microseconds } from '../base/time.js';
import type { ControlRequest, SyncVerb } from '../control/protocol.js';
import type { DoneAnswer } from '../control/statusAnswer.js';
import { askingExitCodes, teach } from './teach.js';
import { askDaemon, longTimeout, print, withControl, type ControlOption } from './talk.js';

interface OperationOptions extends ControlOption {
  readonly json?: true;
  readonly force?: true;
  readonly release?: true;
  readonly stay?: true;
}

export function registerOperations(program: Command): void {
  registerSync(program);
  const failover = withControl(program.command('failover'))
    .description('hand the role over to the peer, as planned work: nothing breaks')
    .option('--force', 'also without a synchronised peer (connections may break)')
    .option('--release', 'end the hold on preemption that a hand-over leaves behind')
    .option('--stay', 'hold preemption over restarts too, unless return_role is on')
    .option('--json', 'for programs')
    .action((options: OperationOptions) => {
      const { force = false, stay } = options;
      const request: ControlRequest =
        options.release === true
          ? { verb: 'failoverRelease' }
          : { verb: 'failover', force, ...(stay === true ? { stay } : {}) };
      return operate(options, request);
    });
  teach(
    failover,
    {
      'Hand over before you work on this node, on the MASTER': 'failover',
      'Let it take the role back afterwards, where it preempts': 'failover --release',
      'Before its restart, as an upgrade of the package does': 'failover --stay',
    },
    askingExitCodes,
    `Replication is drained, the peer commits the flows, then this node resigns with priority 0. It does not
preempt the peer again until the peer is lost or "failover --release" is given here. It is refused
when the peer lacks connections, unless --force is given. With --stay a node that is not MASTER holds
its preemption too, and that is no refusal.`,
  );
  const maintenance = withControl(program.command('maintenance'))
    .description('keep this node from taking the role, also over restarts')
    .addArgument(new Argument('<switch>', 'on or off').choices(['on', 'off']))
    .option('--force', 'also when the peer is not synchronised')
    .option('--json', 'for programs')
    .action((word: string, options: OperationOptions) =>
      operate(options, { verb: 'maintenance', on: word === 'on', force: options.force === true }),
    );
  teach(
    maintenance,
    {
      'Before you reboot this node': 'maintenance on',
      'When it may take the role again': 'maintenance off',
    },
    askingExitCodes,
    'On a MASTER the role is handed over first.',
  );
  const reload = withControl(program.command('reload'))
    .description('read the configuration again and apply what changed; a bad file changes nothing')
    .option('--json', 'for programs')
    .action((options: OperationOptions) => operate(options, { verb: 'reload' }));
  teach(
    reload,
    { 'Look first, then apply': 'check && keepstate reload' },
    askingExitCodes,
    'Instances that did not change keep role, timers and addresses.',
  );
}

const syncVerbs: readonly (readonly [SyncVerb, string, string])[] = [
  ['commit', 'c', 'write the external cache into the kernel'],
  ['resync', 'R', 'fill the internal cache from the kernel again'],
  ['request', 'n', 'ask the peer for its whole table'],
  ['bulk', 'B', 'send the whole internal cache to the peer'],
  ['purge', 't', 'schedule the purge of kernel leftovers (PurgeTimeout)'],
];

function registerSync(program: Command): void {
  const sync = program
    .command('sync')
    .description("conntrackd's verbs by hand; role changes do all of this by themselves");
  for (const [action, letter, help] of syncVerbs) {
    const command = withControl(sync.command(action))
      .description(`${help} (conntrackd -${letter})`)
      .option('--json', 'for programs')
      .action((options: OperationOptions) => operate(options, { verb: 'sync', action }));
    teach(command, { 'Do it, and see the counts': `sync ${action}` }, askingExitCodes);
  }
  const flush = withControl(sync.command('flush'))
    .description('empty the caches (conntrackd -f)')
    .addArgument(new Argument('[cache]', 'only this one').choices(['internal', 'external']))
    .option('--json', 'for programs')
    .action((cache: 'internal' | 'external' | undefined, options: OperationOptions) =>
      operate(options, {
        verb: 'sync',
        action: 'flush',
        ...(cache === undefined ? {} : { cache }),
      }),
    );
  teach(
    flush,
    {
      'Forget what the peer has sent, and ask for it again':
        'sync flush external && keepstate sync request',
    },
    askingExitCodes,
    'The kernel keeps its flows: only the caches of this process are emptied.',
  );
  teach(
    sync,
    { 'Compare with the kernel': 'sync resync', 'Ask the peer for everything': 'sync request' },
    askingExitCodes,
  );
}

async function operate(
  options: OperationOptions,
  request: ControlRequest,
  timeout: Microseconds = longTimeout,
): Promise<void> {
  const answer = await askDaemon(options, request, timeout);
  if (answer === undefined) return;
  // The daemon of the same version made this answer; counts only come with the sync verbs.
  const done = answer.result as Partial<DoneAnswer> & Pick<DoneAnswer, 'message'>;
  print(options.json === true ? printableJson(done) : doneText(done));
}

/**
 * `committed 12 entries, 0 failed; expectations 3 (3 ms)`: counts that the message has not told yet
 * follow it.
 */
export function doneText(done: Partial<DoneAnswer> & Pick<DoneAnswer, 'message'>): string {
  const counts = Object.entries(done.counts ?? {})
    .filter(([name, value]) => !done.message.includes(`${value} ${name}`))
    .map(([name, value]) => `${name} ${value}`);
  const numbers = counts.length === 0 ? '' : `; ${counts.join(', ')}`;
  const time = done.durationMs === undefined ? '' : ` (${Math.round(done.durationMs)} ms)`;
  return printableLines(`${done.message}${numbers}${time}`);
}
