import { rmSync } from 'node:fs';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { AF_UNIX, SOCK_DGRAM, unixSocketAddress } from '../../../src/net/socket/sockaddr.js';
import { sendUnixDatagram } from '../../../src/net/socket/unixDatagram.js';

test.each([`@keepstate-notify-${process.pid}`, `/tmp/keepstate-notify-${process.pid}`])(
  'a datagram reaches the socket at %s',
  (path) => {
    const opened = BatchedSocket.open({
      domain: AF_UNIX,
      type: SOCK_DGRAM,
      protocol: 0,
      cells: 2,
      cellBytes: 128,
    });
    if (opened.kind === 'refused') throw new Error('refused');
    expect(opened.socket.bind(unixSocketAddress(path))).toBe(0);
    expect(sendUnixDatagram(path, Buffer.from('READY=1'))).toEqual({ kind: 'done' });
    expect(opened.socket.receive()).toBe(1);
    expect(Buffer.from(opened.socket.datagram(0)).toString()).toBe('READY=1');
    opened.socket.close();
    rmSync(path, { force: true });
  },
);

test('nobody listening is a refusal', () => {
  expect(sendUnixDatagram('/nonexistent/socket', Buffer.from('x'))).toMatchObject({
    kind: 'refused',
    errno: 2,
  });
});
