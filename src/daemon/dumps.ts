/**
 * The files that a keepalived user knows, in its layout: in the daemon's own folder, and below
 * $TMPDIR, where keepalived's users and exporters look. Anybody may write to the latter: nothing
 * that stands there is opened or followed.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../base/logger.js';
import { fileErrorText, replaceFile } from '../base/regularFile.js';
import { dataText } from '../vrrp/dumps/dataDump.js';
import { jsonText } from '../vrrp/dumps/jsonDump.js';
import { statsText } from '../vrrp/dumps/statsDump.js';
import { besideControl } from '../control/besideControl.js';
import type { KeepstateNode } from './node.js';

export type DumpKind = 'data' | 'stats' | 'json';

/**
 * `keepalived.data`, `.stats` or `.json`, mode 0600, beside the control socket and below $TMPDIR.
 */
export function writeDump(
  kind: DumpKind,
  node: KeepstateNode,
  controlPath: string,
  logger: Logger,
): void {
  const name = `keepalived.${kind}`;
  const text = dumpText(kind, node);
  if (text === undefined) return;
  putDump(text, [besideControl(controlPath, name), join(tmpdir(), name)], logger);
}

/** Each path by itself: who plants something under one of them costs the other nothing. */
export function putDump(text: string, paths: readonly string[], logger: Logger): void {
  for (const path of new Set(paths)) {
    try {
      // A name that nobody can have taken before.
      replaceFile(path, text, { fresh: `${path}.${randomBytes(8).toString('hex')}` });
      logger.log('info', 'dump written', { path });
    } catch (error) {
      logger.log('warning', 'a dump cannot be written', { path, reason: fileErrorText(error) });
    }
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
      return jsonText(vrrp, snapshot);
  }
}
