/** Opens the real channel of a sync link. Part of the worker's entry: the one file that knows real sockets. */
import { UdpChannel } from '../net/udpChannel.js';
import { channelSpecOf, type OpenChannel } from './links.js';

export const openSyncChannel: OpenChannel = (link) => {
  const spec = channelSpecOf(link);
  if (spec === undefined) return { refused: 'TCP is not built in' };
  const opened = UdpChannel.open(spec);
  if (opened.kind === 'open') return opened.channel;
  const { operation, outcome } = opened;
  return {
    refused: outcome.kind === 'refused' ? `${operation}: ${outcome.message}` : operation,
  };
};
