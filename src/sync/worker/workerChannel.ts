/**
 * Opens the real channel of a sync link. Part of the worker's entry: the one file that knows real
 * sockets.
 */
import type { Timers, Turns } from '../../base/time.js';
import { TcpChannel, type OpenedTcpChannel } from '../../net/channel/tcpChannel.js';
import { UdpChannel, type OpenedChannel } from '../../net/channel/udpChannel.js';
import { channelSpecOf, streamSpecOf, type OpenChannel } from '../links/links.js';
import { MessageStream } from '../wire/messageStream.js';

export function syncChannels(timers: Timers, turns: Turns): OpenChannel {
  const parts = { timers, turns, newFraming: () => new MessageStream() };
  return (link) => {
    const datagrams = channelSpecOf(link);
    const stream = streamSpecOf(link);
    if (datagrams !== undefined) return channelOf(UdpChannel.open(datagrams));
    if (stream !== undefined) return channelOf(TcpChannel.open(stream, parts));
    return { refused: 'a TCP link needs its local address' };
  };
}

function channelOf(opened: OpenedChannel | OpenedTcpChannel): ReturnType<OpenChannel> {
  if (opened.kind === 'open') return opened.channel;
  const { operation, outcome, owner } = opened;
  const text = outcome.kind === 'refused' ? `${operation}: ${outcome.message}` : operation;
  if (owner === undefined) return { refused: text };
  return { refused: `${text}; the port belongs to ${owner}: end it, or use another port` };
}
