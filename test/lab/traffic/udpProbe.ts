/**
 * Sends a numbered UDP datagram every `--interval` ms (5; also below 1) from one port to the echo
 * server and reports, after a line on standard input, how many came back and the longest time
 * without any echo. With `--every` ms it also prints a progress line that often.
 */
import { createSocket } from 'node:dgram';
import { argument, nowMilliseconds, numberArgument, onStop, report } from './report.js';

const host = argument('host');
const port = numberArgument('port', 7000);
const interval = numberArgument('interval', 5);
const every = numberArgument('every', 0);
const settle = 300;

const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
let sent = 0;
let received = 0;
let errors = 0;
let lastEcho = nowMilliseconds();
let longestSilence = 0;

socket.on('message', () => {
  const now = nowMilliseconds();
  if (received === 0) report({ ready: true });
  else longestSilence = Math.max(longestSilence, now - lastEcho);
  received++;
  lastEcho = now;
});
socket.on('error', () => errors++);

const facts = (): Record<string, number> => ({
  sent,
  received,
  errors,
  longestSilenceMilliseconds: Math.round(
    Math.max(longestSilence, received === 0 ? 0 : nowMilliseconds() - lastEcho),
  ),
});

socket.bind(0, () => {
  const start = nowMilliseconds();
  const send = (): void => {
    socket.send(String(sent++), port, host, (error) => {
      if (error !== null) errors++;
    });
  };
  // Timers count whole milliseconds: below one, each pulse sends what is due.
  const pulse = setInterval(
    () => {
      if (interval >= 1) send();
      else while (sent * interval < nowMilliseconds() - start) send();
    },
    Math.max(1, interval),
  );
  if (every > 0) setInterval(() => report({ progress: true, ...facts() }), every);
  onStop(() => {
    clearInterval(pulse);
    const { longestSilenceMilliseconds } = facts();
    // What is on its way is not lost.
    setTimeout(() => {
      report({ ...facts(), longestSilenceMilliseconds });
      process.exit(0);
    }, settle);
  });
});
