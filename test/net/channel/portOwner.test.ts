/** Whose port it is, by the kernel's table and the descriptors of processes. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { portOwner, portOwnerText, rowOf } from '../../../src/net/channel/portOwner.js';

const header =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
const row = (port: string, state: string, uid: number, inode: number): string =>
  `  123: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 2 0 0`;

test('the row of the port is found; on TCP one that listens', () => {
  const text = [header, row('0EC5', '07', 0, 7), row('0EC4', '01', 1_000, 8), ''].join('\n');
  expect(rowOf(text, 3_780, false)).toEqual({ userId: 1_000, inode: '8' });
  expect(rowOf(text, 3_780, true)).toBeUndefined();
  expect(rowOf(`${text}${row('0EC4', '0A', 5, 9)}`, 3_780, true)).toEqual({
    userId: 5,
    inode: '9',
  });
  expect(rowOf('', 3_780, false)).toBeUndefined();
  expect(rowOf('a\nb\n: :::\n', 3_780, false)).toBeUndefined();
});

test('a socket of this very process is found by its port', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const own = {
    userId: process.getuid?.(),
    process: { pid: process.pid, name: expect.any(String) as string },
  };
  expect(portOwner('udp', 4, port)).toEqual(own);
  expect(portOwnerText('udp', 4, port)).toContain(
    `(pid ${process.pid}, uid ${process.getuid?.()})`,
  );
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  expect(portOwner('udp', 4, port)).toBeUndefined();
  expect(portOwnerText('udp', 4, port)).toBeUndefined();
});

test('an IPv6 listener has the port of IPv4 too', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(portOwner('tcp', 4, port)?.process?.pid).toBe(process.pid);
  expect(portOwner('tcp', 6, port)?.process?.pid).toBe(process.pid);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
