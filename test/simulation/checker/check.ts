/**
 * npm run simulate:check -- [--minutes N] [--from settled|apart|start] [--states N]
 *
 * Breadth-first over all orders of events of two nodes in one group of two members, their VRRP,
 * coordinator and role machines: each datagram
 * arrives, is lost or comes half a second late; each commit is quick or slower than the addresses
 * wait for it; each thread may be a quarter of a second late; each process may crash and start at
 * any moment. In each state the members agree, and if nothing more goes wrong the right node serves.
 */
import { parseArgs } from 'node:util';
import { apart, bothDead, settled } from './roots.js';
import { search } from './search.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    states: { type: 'string', default: '8000000' },
    from: { type: 'string', default: 'all' },
    help: { type: 'boolean', default: false },
  },
});

const roots = { settled: settled(), apart: apart(), start: bothDead };

function main(): void {
  if (values.help) {
    process.stdout.write(
      'npm run simulate:check -- [--minutes N] [--from settled|apart|start|all] [--states N]\n' +
        'All orders of events of two nodes in one group of two members, breadth-first.\n' +
        'Prints a line for each depth; exit 1 with the shortest story where something is broken.\n',
    );
    return;
  }
  const chosen = Object.entries(roots).filter(([name]) => ['all', name].includes(values.from));
  if (chosen.length === 0) throw new Error(`no such beginning: ${values.from}`);
  const began = process.cpuUsage();
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000_000;
  };
  let looks = 0;
  let isOver = false;
  const result = search({
    roots: chosen.map(([, state]) => state),
    mostStates: Number(values.states),
    goesOn: () => {
      // The clock is asked now and then only.
      if (++looks % 256 === 0) isOver = seconds() > Number(values.minutes) * 60;
      return !isOver;
    },
    onDepth: ({ depth, states, transitions, frontier }) => {
      const text = `depth ${depth}: ${states} states, ${transitions} transitions, ${frontier} new`;
      process.stdout.write(`${text}, ${seconds().toFixed(0)} s\n`);
    },
  });
  const { end, depth, states, transitions, violation } = result;
  process.stdout.write(
    `ended by ${end}: all orders of ${depth} events, ${states} states, ${transitions} transitions, ` +
      `${seconds().toFixed(0)} s of CPU\n`,
  );
  if (violation === undefined) return;
  process.stdout.write(`BROKEN: ${violation.because}\n${violation.story.join('\n')}\n`);
  process.exitCode = 1;
}

main();
