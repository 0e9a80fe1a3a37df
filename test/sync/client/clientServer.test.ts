/** The socket of conntrackd's client: whom it serves is shown against the real client in test/daemon. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../../src/base/logger.js';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { ClientServer } from '../../../src/sync/client/clientServer.js';

const timers = new SystemTimers(systemClock);
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-client-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** What the server says about a path where it cannot listen; the engine goes on without it. */
function complaints(path: string): string[] {
  const said: string[] = [];
  const logger: Logger = {
    log: (_level, _message, fields) => said.push(String(fields?.['reason'])),
  };
  new ClientServer({ path, timers, logger, answer: () => undefined }).close();
  return said;
}

test('a file under its name is left alone', () => {
  const path = join(directory, 'notes.txt');
  writeFileSync(path, 'precious');
  expect(complaints(path)).toEqual([expect.stringContaining('exists and is not a socket')]);
  expect(readFileSync(path, 'utf8')).toBe('precious');
});

test('a folder under its name does not end the engine', () => {
  const path = join(directory, 'folder');
  mkdirSync(path);
  expect(complaints(path)).toEqual([expect.stringContaining('exists and is not a socket')]);
});
