/** The answer to `stats`: what the worker tells conntrackd's client, for who may not ask it. */
import { seconds, type Timers } from '../base/time.js';
import { fetchListing, listingRequests } from '../control/fetchListing.js';
import { refusal, type ControlResult, type StatsSection } from '../control/protocol.js';
import type { StatsAnswer, StatusAnswer } from '../control/statusAnswer.js';

/** Less than a client waits. */
const patience = seconds(3);
/** Some kilobytes are usual. */
const mostBytes = 1 << 20;

export async function statsText(
  { sync, statistics }: Pick<StatusAnswer, 'sync' | 'statistics'>,
  section: StatsSection | undefined,
  timers: Timers,
): Promise<ControlResult> {
  const path = sync?.listingPath ?? statistics?.listingPath;
  if (path === undefined) {
    return refusal('no-sync', 'this node replicates nothing: its configuration has no Sync block');
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer): void => {
    length += chunk.length;
    if (length <= mostBytes) chunks.push(chunk);
  };
  const idle = { timers, idleTimeout: patience };
  const outcome = await fetchListing(path, listingRequests[section ?? 'stats'], take, idle);
  if (outcome.kind === 'failed') {
    return refusal('no-answer', `the sync engine does not answer: ${outcome.message}`);
  }
  const result: StatsAnswer = { text: Buffer.concat(chunks).toString() };
  return { ok: true, result };
}
