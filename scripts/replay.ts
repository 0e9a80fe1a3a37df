/** `npm run replay -- FILE`: lives a recording again and prints each event with what it led to. */
import { readFileSync } from 'node:fs';
import { replay, toJsonLine } from '../src/vrrp/machine/recording.js';

function main(path: string | undefined): number {
  if (path === undefined) {
    process.stderr.write('usage: npm run replay -- FILE\n');
    return 2;
  }
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const { unit, event, actions, state } of replay(lines)) {
    process.stdout.write(`${toJsonLine({ unit, event })}\n`);
    for (const action of actions) process.stdout.write(`  ${toJsonLine(action)}\n`);
    const members = Object.values(state.members).map((member) => `${member.name} ${member.state}`);
    process.stdout.write(`  = ${unit} ${state.role} (${members.join(', ')})\n`);
  }
  return 0;
}

process.exitCode = main(process.argv[2]);
