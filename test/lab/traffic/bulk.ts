/**
 * `--count` TCP transfers in direction `--direction` up or down against the far end's discard and source
 * ports. Reports bytes moved, connections still open and the longest time in which none of the bytes of a
 * connection moved. With `--megabytes` it stops by itself after that much on each connection.
 */
import { connect, type Socket } from 'node:net';
import { argument, nowMilliseconds, numberArgument, onStop, report } from './report.js';

const host = argument('host');
const port = numberArgument('port', 7000);
const count = numberArgument('count', 1);
const isUpload = argument('direction', 'down') === 'up';
const limit = numberArgument('megabytes', 0) * 1_000_000;
const block = Buffer.alloc(65_536, 0x2a);

interface Transfer {
  readonly socket: Socket;
  bytes: number;
  lastMove: number;
  longestStall: number;
  isOpen: boolean;
  error: string | undefined;
}

function start(): Transfer {
  const socket = connect({ host, port: port + (isUpload ? 1 : 2) });
  const transfer: Transfer = {
    socket,
    bytes: 0,
    lastMove: nowMilliseconds(),
    longestStall: 0,
    isOpen: false,
    error: undefined,
  };
  const moved = (bytes: number): void => {
    const now = nowMilliseconds();
    if (transfer.bytes > 0)
      transfer.longestStall = Math.max(transfer.longestStall, now - transfer.lastMove);
    transfer.lastMove = now;
    transfer.bytes += bytes;
    if (limit > 0 && transfers.every((one) => one.bytes >= limit)) finish();
  };
  const fill = (): void => {
    while (transfer.isOpen) {
      const goesOn = socket.write(block, () => {
        moved(block.length);
      });
      if (!goesOn) return;
    }
  };
  socket.on('connect', () => {
    transfer.isOpen = true;
    if (transfers.every((one) => one.isOpen)) report({ ready: true });
    if (isUpload) fill();
  });
  socket.on('drain', fill);
  socket.on('data', (data) => {
    moved(data.length);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => (transfer.error = error.code));
  socket.on('close', () => (transfer.isOpen = false));
  return transfer;
}

function finish(): void {
  const now = nowMilliseconds();
  report({
    connections: count,
    open: transfers.filter((one) => one.isOpen).length,
    bytes: transfers.reduce((total, one) => total + one.bytes, 0),
    longestStallMilliseconds: Math.round(
      Math.max(...transfers.map((one) => Math.max(one.longestStall, now - one.lastMove))),
    ),
    errors: [...new Set(transfers.flatMap((one) => one.error ?? []))],
  });
  process.exit(0);
}

const transfers: Transfer[] = [];
for (let i = 0; i < count; i++) transfers.push(start());
onStop(finish);
