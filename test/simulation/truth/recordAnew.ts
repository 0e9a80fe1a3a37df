/** Plays scripts on a real kernel and compares with what is written down. Needs root. */
import { Lab } from '../../lab/lab.js';
import { playScript } from './player.js';
import { RealLab } from './realWorld.js';
import { differences, readRecordings } from './recordings.js';
import type { Script } from './script.js';

/** Two flows in a table may be a second apart by chance; a difference is looked at twice. */
const attempts = 2;

export interface Chosen {
  readonly subject: string;
  readonly script: Script;
}

/** One text for each script that went otherwise. */
export async function compareAnew(chosen: readonly Chosen[]): Promise<string[]> {
  const lab = await Lab.open();
  try {
    const real = await RealLab.open(lab);
    const found: string[] = [];
    for (const { subject, script } of chosen) {
      const recorded = readRecordings(subject).get(script.name);
      if (recorded === undefined) throw new Error(`${script.name} was never recorded`);
      let different: string[] = [];
      for (let i = 0; i < attempts && (i === 0 || different.length > 0); i++) {
        const played = await playScript(script, (rules) => real.world(rules));
        different = differences(recorded, played);
      }
      if (different.length > 0) found.push(`${script.name}: ${different.join('\n')}`);
    }
    real.close();
    return found;
  } finally {
    await lab.close();
  }
}
