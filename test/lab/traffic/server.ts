/**
 * The far end of all traffic: echoes TCP on `--port`, echoes UDP on the same number, discards TCP
 * on port + 1 and sends without end on port + 2. Prints {"ready":true} when it listens.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { numberArgument, onStop, report } from './report.js';

const port = numberArgument('port', 7000);
const block = Buffer.alloc(65_536, 0x55);

function listen(offset: number, serve: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      serve(socket);
    });
    server.listen({ port: port + offset, backlog: 4096 }, () => {
      resolve(server);
    });
  });
}

function sendWithoutEnd(socket: Socket): void {
  const fill = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', fill);
  fill();
}

async function main(): Promise<void> {
  await listen(0, (socket) => socket.pipe(socket));
  await listen(1, (socket) => socket.resume());
  await listen(2, sendWithoutEnd);
  const udp = createSocket('udp6');
  udp.on('message', (message, peer) => {
    udp.send(message, peer.port, peer.address);
  });
  udp.bind(port, () => {
    report({ ready: true });
  });
  onStop(() => process.exit(0));
}

void main();
