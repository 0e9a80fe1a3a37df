/**
 * Opens the real channel of a sync link, and reaches syslog. Part of the worker's entry: the one
 * file that knows real sockets.
 */
import type { Timers, Turns } from '../../base/time.js';
import { TcpChannel, type OpenedTcpChannel } from '../../net/channel/tcpChannel.js';
import { UdpChannel, type OpenedChannel } from '../../net/channel/udpChannel.js';
import { channelSpecOf, streamSpecOf, type OpenChannel } from '../links/links.js';
import { sendUnixDatagram } from '../../net/socket/unixDatagram.js';
import type { Sealing } from '../seal/sealing.js';
import type { SyncLink } from '../settings.js';
import { MessageStream } from '../wire/messageStream.js';

export function syncChannels(timers: Timers, turns: Turns, sealing?: Sealing): OpenChannel {
  const parts = { timers, turns, newFraming: () => new MessageStream() };
  return (link) => {
    const opened = openPlain(link);
    return 'refused' in opened || sealing === undefined ? opened : sealing.wrap(opened, link.port);
  };

  function openPlain(link: SyncLink): ReturnType<OpenChannel> {
    const datagrams = channelSpecOf(link);
    const stream = streamSpecOf(link);
    if (datagrams !== undefined) return channelOf(UdpChannel.open(datagrams));
    if (stream !== undefined) return channelOf(TcpChannel.open(stream, parts));
    return { refused: 'a TCP link needs its local address' };
  }
}

function channelOf(opened: OpenedChannel | OpenedTcpChannel): ReturnType<OpenChannel> {
  if (opened.kind === 'open') return opened.channel;
  const { operation, outcome, owner } = opened;
  const text = outcome.kind === 'refused' ? `${operation}: ${outcome.message}` : operation;
  if (owner === undefined) return { refused: text };
  return { refused: `${text}; the port belongs to ${owner}: end it, or use another port` };
}

/** To the machine's syslog daemon; 0, or a positive errno. Does not wait. */
export function sendSyslog(datagram: Uint8Array): number {
  const outcome = sendUnixDatagram('/dev/log', datagram);
  return outcome.kind === 'refused' ? outcome.errno : 0;
}
