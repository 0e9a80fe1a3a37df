/** To whom a FIFO is given: only root may give. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFifo } from '../../../src/vrrp/notify/fifo.js';
import { silentLogger } from '../../../src/base/logger.js';

test('a FIFO belongs to the user and group that its line names', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fifo-'));
  try {
    const path = join(directory, 'events');
    const sink = openFifo({ path, owner: { user: '4242', group: '4243' } }, silentLogger);
    expect(statSync(path)).toMatchObject({ uid: 4242, gid: 4243 });
    sink.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
