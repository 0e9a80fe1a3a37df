/**
 * A node that only beats, for tests of two: `beatProgram.ts JSON` with BeatProgramSettings. Prints
 * a JSON line per news. Takes lines on stdin: `block MS` keeps its main loop busy, `report` prints
 * a line of kind `report`.
 */
import { createInterface } from 'node:readline';
import { parseIp } from '../../../src/base/ipAddress.js';
import { BeatThread, type SilenceLimit } from '../../../src/net/beat/beatThread.js';

export interface BeatProgramPath {
  readonly name: string;
  readonly interfaceName: string;
  readonly own: string;
  readonly peer: string;
  readonly limit?: SilenceLimit;
}

export interface BeatProgramSettings {
  readonly session: string;
  readonly peerSession: string;
  readonly paths: readonly BeatProgramPath[];
  /** Hexadecimal. */
  readonly key?: string;
  readonly content?: string;
  /** Milliseconds for which the loop may stand still before it says `standing`. */
  readonly standsAfter?: number;
  /** Milliseconds; 20 unless given. */
  readonly interval?: number;
  readonly loopLimits?: { readonly own: number; readonly peer: number };
}

export const beatPort = 3781;
/** In the first byte of a content: ends a peer whose main loop stands still. */
export const masterBit = 0x80;

/** Throws where a path is refused. */
export function addPath(thread: BeatThread, path: BeatProgramPath): void {
  const [own, peer] = [parseIp(path.own), parseIp(path.peer)];
  if (own === undefined || peer === undefined) throw new Error(`${path.own} ${path.peer}`);
  const outcome = thread.addPath({
    ...{ name: path.name, interfaceName: path.interfaceName, own, peer, port: beatPort },
    ...{ pace: 'fast', limit: path.limit ?? { milliseconds: 400, beats: 3 } },
  });
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function main(settings: BeatProgramSettings): void {
  const started = BeatThread.start({
    ...{ interval: settings.interval ?? 20, session: settings.session },
    loopLimits: settings.loopLimits ?? { own: 0, peer: 0 },
    onNews: (news) => news.forEach((one) => print(one)),
  });
  if (started.kind === 'refused') throw new Error(String(started.errno));
  const { thread } = started;
  thread.believe(settings.peerSession);
  if (settings.key !== undefined) thread.useKey(Buffer.from(settings.key, 'hex'));
  for (const path of settings.paths) addPath(thread, path);
  const standing = {
    ...{ after: settings.standsAfter ?? 0, content: Buffer.from('standing') },
    endsOn: { offset: 0, bits: masterBit },
  };
  thread.say(Buffer.from(settings.content ?? ''), standing);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [command, milliseconds] = line.split(' ');
    if (command === 'block') {
      const end = performance.now() + Number(milliseconds);
      while (performance.now() < end);
    }
    const report = thread.report();
    print({ kind: 'report', ...report, paths: [...report.paths.values()] });
  });
  print({ kind: 'ready' });
}

if (require.main === module) main(JSON.parse(process.argv[2] ?? '') as BeatProgramSettings);
