/**
 * Records scripts on the kernel of this machine, in namespaces:
 *
 *   node -r ./scripts/typescript.cjs test/simulation/truth/record.ts [SUBJECT ...]
 *
 * Without a subject all are recorded. Needs root, nft and conntrack.
 */
import { Lab } from '../../lab/lab.js';
import { playScript } from './player.js';
import { RealLab } from './realWorld.js';
import { writeRecordings } from './recordings.js';
import type { Recording } from './script.js';
import { scriptsBySubject } from './scripts/allScripts.js';

async function record(subjects: readonly string[]): Promise<void> {
  const lab = await Lab.open();
  try {
    const real = await RealLab.open(lab);
    for (const subject of subjects) {
      const recordings: Recording[] = [];
      for (const script of scriptsBySubject[subject] ?? []) {
        recordings.push(await playScript(script, (rules) => real.world(rules)));
      }
      writeRecordings(subject, recordings);
      process.stdout.write(`${subject}: ${recordings.length} recorded\n`);
    }
    real.close();
  } finally {
    await lab.close();
  }
}

const asked = process.argv.slice(2);
record(asked.length > 0 ? asked : Object.keys(scriptsBySubject)).catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
