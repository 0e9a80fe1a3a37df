/** A stranger's datagrams through the decoder; `npm run seal:storm` goes on to any number. */
import { stormBlock } from '../../support/sync/sealStorm.js';

/** With `--full` a million. */
const blocks = process.env['KEEPSTATE_FULL'] === '1' ? 20 : 1;

test.each(Array.from({ length: blocks }, (_one, i) => i))(
  'block %i: 50,000 hostile datagrams are refused and counted, the true peer is served',
  (block) => {
    const { hostile, refused, served } = stormBlock(block, 50_000);
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(hostile);
    expect(Object.keys(refused).sort()).toEqual([
      ...['malformed', 'plain', 'replayed', 'staleAnswer', 'tooManyHellos'],
      ...['unknownKey', 'unknownSession', 'wrong'],
    ]);
    expect(served).toBe(900);
  },
);
