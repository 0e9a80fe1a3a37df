/** A run of lives in several processes, in rounds; after each its sums are told and kept. */
import { fork } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { CommandOptions } from './options.js';
import type { LivesWanted } from './manyLives.js';
import { addTally, newTally, type Tally } from './tally.js';

/** Lives of one process in one round: a minute or so. */
const livesPerRound = 500;

export interface Progress {
  readonly next: number;
  readonly tally: Tally;
}

export async function runRounds(
  options: CommandOptions & { readonly lives: number },
  main: string,
  told: (progress: Progress) => void,
): Promise<Tally> {
  const { lives, from, resume, workers, clients, coverage, until } = options;
  const kept = resume === undefined ? undefined : readProgress(resume);
  const tally = kept?.tally ?? newTally();
  let next = kept?.next ?? from;
  while (next < from + lives && (until === undefined || tally.broken.length < until)) {
    const left = from + lives - next;
    const each = Math.min(livesPerRound, Math.ceil(left / workers));
    const parts = Array.from({ length: workers }, (_, i): LivesWanted => {
      const mine = Math.max(0, Math.min(each, Math.ceil((left - i) / workers)));
      return { from: next + i, step: workers, lives: mine, clients, coverage, until };
    });
    for (const part of await Promise.all(parts.map((one) => inProcess(main, one)))) {
      addTally(tally, part);
    }
    next += parts.reduce((sum, part) => sum + part.lives, 0);
    if (resume !== undefined) keepProgress(resume, { next, tally });
    told({ next, tally });
  }
  return tally;
}

/** Rejects where the process ends without an answer. */
function inProcess(main: string, wanted: LivesWanted): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = fork(main, ['--part', JSON.stringify(wanted)], { execArgv: process.execArgv });
    let answer: Tally | undefined;
    child.on('message', (message) => {
      // The child is this program, which sends one message.
      answer = message as Tally;
    });
    child.on('exit', (code) => {
      if (answer === undefined)
        reject(new Error(`a process of the run ended with ${code ?? 'a signal'}`));
      else resolve(answer);
    });
  });
}

function readProgress(path: string): Progress | undefined {
  // Written by this program.
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Progress) : undefined;
}

function keepProgress(path: string, progress: Progress): void {
  writeFileSync(`${path}.new`, JSON.stringify(progress));
  renameSync(`${path}.new`, path);
}
