/**
 * Socket options of the replication channel over TCP (tcp(7), socket(7)). Beyond conntrackd 1.4.7,
 * which has the keep-alive of two hours on its listener alone: both directions notice within
 * seconds that the peer is gone. What is set on a listener holds for the connections it accepts.
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
import {
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from '../socket/socketOptions.js';

/** An idle connection is asked for life after this. */
const idleSeconds = 4;
const intervalSeconds = 1;
const unanswered = 4;
/**
 * What was sent must be acknowledged, or taken by a peer that reads, within this. Longer than a
 * conntrackd is busy with an ordinary commit, in which it reads nothing.
 */
const longestUnacknowledged = 10_000;

/**
 * For the connection that this node opens: from `localAddress`, so that the peer knows us from a
 * stranger.
 */
export function applyConnectorOptions(
  socket: BatchedSocket,
  spec: StreamSpec,
  index: number,
): FailedOption | undefined {
  const source = ipSocketAddress(spec.localAddress, 0, scopeFor(spec.localAddress, index));
  return runSteps([
    ...streamSteps(socket, spec),
    ['TCP_NODELAY', () => socket.setIntOption(IPPROTO_TCP, TCP_NODELAY, 1)],
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
    ['SO_BINDTODEVICE', () => socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, name)],
    // Connections of before may linger; a port on which another listens is refused all the same.
    ['SO_REUSEADDR', () => socket.setIntOption(SOL_SOCKET, SO_REUSEADDR, 1)],
  ];
  if (spec.family === 6) {
    steps.push(['IPV6_V6ONLY', () => socket.setIntOption(IPPROTO_IPV6, IPV6_V6ONLY, 1)]);
  }
  const { localAddress } = spec;
  const local = ipSocketAddress(localAddress, spec.port, scopeFor(localAddress, index));
  steps.push(['bind the listener', () => socket.bind(local)]);
  return runSteps(steps);
}

function streamSteps(socket: BatchedSocket, spec: StreamSpec): Step[] {
  const tcp = (name: string, option: number, value: number): Step => [
    name,
    () => socket.setIntOption(IPPROTO_TCP, option, value),
  ];
  const steps: Step[] = [
    ['SO_KEEPALIVE', () => socket.setIntOption(SOL_SOCKET, SO_KEEPALIVE, 1)],
    tcp('TCP_KEEPIDLE', TCP_KEEPIDLE, idleSeconds),
    tcp('TCP_KEEPINTVL', TCP_KEEPINTVL, intervalSeconds),
    tcp('TCP_KEEPCNT', TCP_KEEPCNT, unanswered),
    tcp('TCP_USER_TIMEOUT', TCP_USER_TIMEOUT, longestUnacknowledged),
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
