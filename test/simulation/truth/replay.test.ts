/**
 * The model is held against the truth: what a real kernel answered to each script (recordings/,
 * made by record.ts) the model answers too, and both end with the same table.
 */
import { ModelWorld } from './modelWorld.js';
import { playScript } from './player.js';
import { differences, readRecordings } from './recordings.js';
import { scriptsBySubject } from './scripts/allScripts.js';

describe.each(Object.entries(scriptsBySubject))('%s', (subject, scripts) => {
  const recordings = readRecordings(subject);

  test.each(scripts.map((script) => [script.name, script] as const))('%s', async (name, script) => {
    const recorded = recordings.get(name);
    expect(recorded).toBeDefined();
    const played = await playScript(script, (rules) => Promise.resolve(new ModelWorld(rules)));
    if (recorded !== undefined) expect(differences(recorded, played)).toEqual([]);
  });
});
