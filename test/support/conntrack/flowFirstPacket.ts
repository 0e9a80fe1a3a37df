/**
 * As much of SIP (RFC 3261, INVITE with SDP) and TFTP (RFC 1350, RRQ) as a connection tracking
 * helper looks at: the first packet of the flow makes the expectation.
 *   server                       receives on ports 5060 and 69; the line `sip` or `tftp` on stdin sends one datagram
 *                                to each place that was asked for, from a port of its own
 *   client sip|tftp ADDRESS      asks once, and prints {"data":TEXT} for what comes back
 */
import { createSocket, type Socket } from 'node:dgram';
import { createInterface } from 'node:readline';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

interface Place {
  readonly address: string;
  readonly port: number;
}

function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => socket.bind(port, () => resolve(socket)));
}

/** Where the body of an INVITE wants its audio. */
function mediaOf(text: string): Place | undefined {
  const address = /^c=IN IP4 (\S+)/m.exec(text)?.[1];
  const port = /^m=audio (\d+)/m.exec(text)?.[1];
  return address === undefined || port === undefined ? undefined : { address, port: Number(port) };
}

function invite(from: Place, media: Place, server: string): string {
  const body = [
    'v=0',
    `o=- 1 1 IN IP4 ${media.address}`,
    's=-',
    `c=IN IP4 ${media.address}`,
    't=0 0',
    `m=audio ${media.port} RTP/AVP 0`,
    '',
  ].join('\r\n');
  return [
    `INVITE sip:b@${server} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from.address}:${from.port};branch=z9hG4bK1`,
    'Max-Forwards: 70',
    `From: <sip:a@${from.address}>;tag=1`,
    `To: <sip:b@${server}>`,
    `Call-ID: ${from.port}@${from.address}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:a@${from.address}:${from.port}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

async function serve(): Promise<void> {
  const places: { sip: Place[]; tftp: Place[] } = { sip: [], tftp: [] };
  const [sip, tftp] = [await bound(5060), await bound(69)];
  sip.on('message', (message) => {
    const place = mediaOf(message.toString());
    if (place !== undefined) places.sip.push(place);
    say({ asked: place });
  });
  tftp.on('message', (_message, from) => {
    places.tftp.push({ address: from.address, port: from.port });
    say({ asked: { address: from.address, port: from.port } });
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    const asked = line === 'sip' ? places.sip : places.tftp;
    for (const { address, port } of asked.splice(0)) {
      const answer = createSocket('udp4');
      answer.send(`${line} data`, port, address, () => answer.close());
    }
  });
  say({ ready: true });
}

/** A port whose successor is free too: RTP takes an even one, and RTCP the next. */
async function evenPort(): Promise<Socket> {
  for (;;) {
    const socket = await bound(0);
    if (socket.address().port % 2 === 0) return socket;
    socket.close();
  }
}

async function ask(protocol: string, server: string): Promise<void> {
  const [signalling, media] = [await bound(0), await evenPort()];
  const hear = (socket: Socket): void => {
    socket.on('message', (message) => say({ data: message.toString() }));
  };
  if (protocol === 'tftp') {
    hear(signalling);
    signalling.send('\x00\x01file\x00octet\x00', 69, server);
    return;
  }
  hear(media);
  signalling.connect(5060, server, () => {
    const from = signalling.address();
    const place = { address: from.address, port: media.address().port };
    signalling.send(invite(from, place, server));
  });
}

const [mode, protocol = '', address = ''] = process.argv.slice(2);
if (mode === 'server') void serve();
else void ask(protocol, address);
