/**
 * `npm run vrrp:life -- SEED`: lives one random life of the simulated LAN and prints it as recorded
 * lines, for `npm run replay`. A violated invariant is printed last, with exit code 1.
 */
import { liveOnce } from '../test/support/vrrp/lan.js';

const seed = Number(process.argv[2]);
if (!Number.isInteger(seed)) {
  process.stderr.write('usage: npm run vrrp:life -- SEED\n');
  process.exitCode = 2;
} else {
  const lines: string[] = [];
  try {
    liveOnce(seed, (line) => lines.push(line));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
  for (const line of lines) process.stdout.write(`${line}\n`);
}
