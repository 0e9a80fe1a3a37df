/**
 * One script of each subject is recorded anew: the kernel of this machine still does what is
 * written down.
 */
import { compareAnew } from './recordAnew.js';
import { scriptsBySubject } from './scripts/allScripts.js';

const samples = [
  'tcp-orderly-close',
  'narrow-clash',
  'commit-after-pickup',
  'update-traffic',
  'overrun',
];

test('the kernel of this machine answers as the recordings say, one script of each subject', async () => {
  const chosen = Object.entries(scriptsBySubject).flatMap(([subject, scripts]) =>
    scripts.filter(({ name }) => samples.includes(name)).map((script) => ({ subject, script })),
  );
  expect(chosen).toHaveLength(samples.length);
  expect(await compareAnew(chosen)).toEqual([]);
}, 600_000);
