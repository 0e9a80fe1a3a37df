/** The files that a keepalived user knows, in its directory and layout. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../base/logger.js';
import { dataText } from '../vrrp/dumps/data.js';
import { jsonText } from '../vrrp/dumps/json.js';
import { statsText } from '../vrrp/dumps/stats.js';
import type { KeepstateNode } from './node.js';

export type DumpKind = 'data' | 'stats' | 'json';

/** Writes `keepalived.data`, `.stats` or `.json`, mode 0600, below $TMPDIR. */
export function writeDump(kind: DumpKind, node: KeepstateNode, logger: Logger): void {
  const path = join(tmpdir(), `keepalived.${kind}`);
  try {
    const text = dumpText(kind, node);
    if (text === undefined) return;
    writeFileSync(path, text, { mode: 0o600 });
    logger.log('info', 'dump written', { path });
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    logger.log('warning', 'a dump cannot be written', { path, because });
  }
}

function dumpText(kind: DumpKind, node: KeepstateNode): string | undefined {
  const snapshot = node.router.snapshot();
  const { vrrp } = node.settings;
  switch (kind) {
    case 'data':
      return dataText(vrrp, snapshot);
    case 'stats':
      return statsText(snapshot.instances);
    case 'json':
    default:
      return jsonText(vrrp, snapshot);
  }
}
