/**
 * Socket options of the replication channel over TCP (tcp(7), socket(7)). Beyond conntrackd 1.4.7, which has
 * the keep-alive of two hours on its listener alone: both directions notice within seconds that the peer is gone.
 * What is set on a listener holds for the connections it accepts.
 */
import type { BatchedSocket } from '../socket/batchedSocket.js';
import type { StreamSpec } from '../ports.js';
import { ipSocketAddress } from '../socket/sockaddr.js';
import {
  runSteps,
  scopeFor,
  setBuffer,
  unicastTtlStep,
  type FailedOption,
  type Step,
} from './udpOptions.js';

const socketLevel = 1;
/** SO_*. */
const reuseAddress = 2;
const keepAlive = 9;
const bindToDevice = 25;
const tcpLevel = 6;
/** TCP_*. */
const tcpOption = {
  noDelay: 1,
  keepIdleSeconds: 4,
  keepIntervalSeconds: 5,
  keepCount: 6,
  userTimeoutMilliseconds: 18,
} as const;
const ipv6Level = 41;
const ipv6Only = 26;

/** An idle connection is asked for life after this. */
const idleSeconds = 4;
const intervalSeconds = 1;
const unanswered = 4;
/**
 * What was sent must be acknowledged, or taken by a peer that reads, within this. Longer than a conntrackd is
 * busy with an ordinary commit, in which it reads nothing.
 */
const longestUnacknowledged = 10_000;

/** For the connection that this node opens: from `localAddress`, so that the peer knows us from a stranger. */
export function applyConnectorOptions(
  socket: BatchedSocket,
  spec: StreamSpec,
  index: number,
): FailedOption | undefined {
  const source = ipSocketAddress(spec.localAddress, 0, scopeFor(spec.localAddress, index));
  return runSteps([
    ...streamSteps(socket, spec),
    ['TCP_NODELAY', () => socket.setIntOption(tcpLevel, tcpOption.noDelay, 1)],
    ['bind the sender', () => socket.bind(source)],
  ]);
}

export function applyListenerOptions(
  socket: BatchedSocket,
  spec: StreamSpec,
  index: number,
): FailedOption | undefined {
  const name = Buffer.from(`${spec.interfaceName}\0`, 'utf8');
  const steps: Step[] = [
    ...streamSteps(socket, spec),
    ['SO_BINDTODEVICE', () => socket.setOption(socketLevel, bindToDevice, name)],
    // Connections of before may linger; a port on which another listens is refused all the same.
    ['SO_REUSEADDR', () => socket.setIntOption(socketLevel, reuseAddress, 1)],
  ];
  if (spec.family === 6) {
    steps.push(['IPV6_V6ONLY', () => socket.setIntOption(ipv6Level, ipv6Only, 1)]);
  }
  const { localAddress } = spec;
  const local = ipSocketAddress(localAddress, spec.port, scopeFor(localAddress, index));
  steps.push(['bind the listener', () => socket.bind(local)]);
  return runSteps(steps);
}

function streamSteps(socket: BatchedSocket, spec: StreamSpec): Step[] {
  const tcp = (name: string, option: number, value: number): Step => [
    name,
    () => socket.setIntOption(tcpLevel, option, value),
  ];
  const steps: Step[] = [
    ['SO_KEEPALIVE', () => socket.setIntOption(socketLevel, keepAlive, 1)],
    tcp('TCP_KEEPIDLE', tcpOption.keepIdleSeconds, idleSeconds),
    tcp('TCP_KEEPINTVL', tcpOption.keepIntervalSeconds, intervalSeconds),
    tcp('TCP_KEEPCNT', tcpOption.keepCount, unanswered),
    tcp('TCP_USER_TIMEOUT', tcpOption.userTimeoutMilliseconds, longestUnacknowledged),
    unicastTtlStep(socket, spec.family),
  ];
  const { sendBufferBytes, receiveBufferBytes } = spec;
  if (sendBufferBytes !== undefined) {
    steps.push(['send buffer', () => setBuffer(socket, 'send', sendBufferBytes)]);
  }
  if (receiveBufferBytes !== undefined) {
    steps.push(['receive buffer', () => setBuffer(socket, 'receive', receiveBufferBytes)]);
  }
  return steps;
}
