/** Every script is recorded anew. */
import { compareAnew } from './recordAnew.js';
import { scriptsBySubject } from './scripts/allScripts.js';

test.each(Object.entries(scriptsBySubject))(
  'the kernel of this machine answers as the recordings of %s say',
  async (subject, scripts) => {
    expect(await compareAnew(scripts.map((script) => ({ subject, script })))).toEqual([]);
  },
  1_200_000,
);
