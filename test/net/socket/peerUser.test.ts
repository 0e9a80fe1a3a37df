import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerUser } from '../../../src/net/socket/peerUser.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-peer-'));
  chmodSync(directory, 0o755);
  path = join(directory, 'socket');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Who the first that connects is, by the server's account. */
function asked(connectNow: () => void): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket: Socket) => {
      const user = peerUser(socket);
      socket.destroy();
      server.close(() => resolve(user));
    });
    server.listen(path, () => {
      chmodSync(path, 0o777);
      connectNow();
    });
  });
}

test('the user of a connection is the one who opened it', async () => {
  const own = await asked(() => void connect(path).on('error', () => undefined));
  expect(own).toBe(process.geteuid?.());
});

test('another user', async () => {
  const program = `import socket; s = socket.socket(socket.AF_UNIX); s.connect(${JSON.stringify(path)}); s.recv(1)`;
  const words = [
    '--reuid=12345',
    '--regid=12345',
    '--clear-groups',
    '/usr/bin/python3',
    '-c',
    program,
  ];
  expect(await asked(() => void execFile('setpriv', words))).toBe(12_345);
});

test('a connection that is gone has none', async () => {
  const gone = connect(join(directory, 'absent'));
  await new Promise((resolve) => gone.on('error', resolve));
  expect(peerUser(gone)).toBeUndefined();
});
