import { seconds, type Microseconds } from '../../../src/base/time.js';
import { isPeerPresent, type PeerSigns } from '../../../src/sync/client/statusBuilder.js';
import type { SyncMode } from '../../../src/sync/settings.js';

function signs(mode: SyncMode, isGreeted: boolean, heard?: Microseconds): PeerSigns {
  return {
    settings: { mode },
    replicator: { receiver: { lastAcceptedAt: heard } },
    announcesEnds: () => isGreeted,
  };
}

describe('the peer is there', () => {
  test('in ALARM where a keepstate is greeted that has no flow to tell', () => {
    expect(isPeerPresent(signs('ALARM', true), seconds(100))).toBe(true);
    expect(isPeerPresent(signs('ALARM', false), seconds(100))).toBe(false);
  });

  test('in ALARM once it was heard, for who has nothing to tell is silent', () => {
    expect(isPeerPresent(signs('ALARM', false, seconds(1)), seconds(1_000))).toBe(true);
  });

  test.each(['FTFW', 'NOTRACK'] as const)('in %s while its replication is heard', (mode) => {
    expect(isPeerPresent(signs(mode, true), seconds(100))).toBe(false);
    expect(isPeerPresent(signs(mode, false, seconds(99)), seconds(100))).toBe(true);
    expect(isPeerPresent(signs(mode, true, seconds(50)), seconds(100))).toBe(false);
  });
});
