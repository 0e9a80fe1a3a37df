/** The link blocks of `conntrackd -s`, as conntrackd 1.4.7 prints them. */
import { linkStatistics, networkStatistics } from '../../../src/sync/client/statistics.js';
import type { LinkStatus, SyncStatus } from '../../../src/sync/messages.js';
import { sampleSync } from '../../support/daemon/statusSamples.js';

const link: LinkStatus = {
  interfaceName: 's1',
  kind: 'tcp',
  isActive: true,
  isUsable: true,
  isSending: true,
  isReceiving: false,
  bytesSent: 104,
  bytesReceived: 64,
  datagramsSent: 9,
  datagramsReceived: 5,
  sendErrors: 3,
  receiveErrors: 0,
};

/** What these blocks read of it. */
const status = (links: readonly LinkStatus[]): SyncStatus => ({ ...sampleSync, links });

const traffic = `                 104 Bytes sent                   64 Bytes recv
                   9 Pckts sent                    5 Pckts recv
                   3 Error send                    0 Error recv

`;

test('over TCP both connections are told: server is the peer’s, client is ours', () => {
  expect(networkStatistics(status([link]))).toContain(
    `TCP traffic (active device=s1) server=disconnected client=connected:\n${traffic}`,
  );
  expect(networkStatistics(status([{ ...link, isSending: false, isReceiving: true }]))).toContain(
    'server=connected client=disconnected:',
  );
});

test('each link has a block of its own', () => {
  const second = { ...link, interfaceName: 's2', isActive: false, isUsable: false };
  expect(linkStatistics(status([link, second]))).toBe(
    `TCP traffic device=s1 status=RUNNING role=ACTIVE:\n${traffic}` +
      `TCP traffic device=s2 status=DOWN role=BACKUP:\n${traffic}`,
  );
});
