/**
 * `--count` TCP transfers in direction `--direction` up or down against the far end's discard and
 * source ports. Reports bytes moved, connections still open and the longest time in which none of
 * the bytes of a connection moved. After a line on standard input it waits up to `--settle` ms
 * until each is `whole`: the far end has all of an upload, a download went on moving. With
 * `--megabytes` it stops by itself after that much on each connection; `--rate` limits each
 * connection to so many kilobytes a second, so that transfers can run beside measurements.
 */
import { connect, type Socket } from 'node:net';
import { argument, nowMilliseconds, numberArgument, onStop, report } from './report.js';

const host = argument('host');
const port = numberArgument('port', 7000);
const count = numberArgument('count', 1);
const isUpload = argument('direction', 'down') === 'up';
const limit = numberArgument('megabytes', 0) * 1_000_000;
const rate = numberArgument('rate', 0);
const turnMilliseconds = 20;
const bytesPerTurn = rate > 0 ? Math.ceil((rate * 1_000 * turnMilliseconds) / 1_000) : Infinity;
const settle = numberArgument('settle', 20_000);
const block = Buffer.alloc(Math.min(65_536, bytesPerTurn), 0x2a);

interface Transfer {
  readonly socket: Socket;
  bytes: number;
  lastMove: number;
  longestStall: number;
  isOpen: boolean;
  error: string | undefined;
  isWhole: boolean;
  /** What may still move in this turn. */
  allowance: number;
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
    isWhole: false,
    allowance: bytesPerTurn,
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
    while (transfer.isOpen && !isEnding && transfer.allowance > 0) {
      transfer.allowance -= block.length;
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
    transfer.isWhole = isEnding;
    transfer.allowance -= data.length;
    if (transfer.allowance <= 0) socket.pause();
  });
  // The far end closes once it has read everything.
  socket.on('end', () => (transfer.isWhole = isUpload && isEnding));
  socket.on('error', (error: NodeJS.ErrnoException) => (transfer.error = error.code));
  socket.on('close', () => (transfer.isOpen = false));
  if (rate > 0) {
    setInterval(() => {
      transfer.allowance = Math.min(transfer.allowance + bytesPerTurn, bytesPerTurn);
      if (transfer.allowance <= 0) return;
      if (!isUpload) socket.resume();
      else if (!socket.writableNeedDrain) fill();
    }, turnMilliseconds);
  }
  return transfer;
}

function conclude(): void {
  isEnding = true;
  const open = transfers.filter((one) => one.isOpen);
  if (isUpload) for (const { socket } of open) socket.end();
  const deadline = nowMilliseconds() + settle;
  setInterval(() => {
    if (open.every((one) => one.isWhole || !one.isOpen) || nowMilliseconds() >= deadline) {
      finish(open.length);
    }
  }, turnMilliseconds);
}

function finish(open = transfers.filter((one) => one.isOpen).length): void {
  const now = nowMilliseconds();
  report({
    connections: count,
    open,
    whole: transfers.filter((one) => one.isWhole).length,
    bytes: transfers.reduce((total, one) => total + one.bytes, 0),
    longestStallMilliseconds: Math.round(
      Math.max(...transfers.map((one) => Math.max(one.longestStall, now - one.lastMove))),
    ),
    errors: [...new Set(transfers.flatMap((one) => one.error ?? []))],
  });
  process.exit(0);
}

let isEnding = false;
const transfers: Transfer[] = [];
for (let i = 0; i < count; i++) transfers.push(start());
onStop(conclude);
