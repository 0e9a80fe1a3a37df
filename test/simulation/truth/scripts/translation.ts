/** NAT: mappings, clashes, and what happens to them when an address goes. */
import type { Script } from '../script.js';
import {
  client,
  fromClient,
  fromServer,
  listen,
  opens,
  read,
  router,
  script,
  server,
  table,
  udp,
  wait,
} from './steps.js';

const other = '10.1.0.3';
const from = (address: string, port: number) => udp('inside', `${address}:${port}>${server}:53`);

export const translationScripts: readonly Script[] = [
  script(
    'snat',
    'the source is translated, the port is kept',
    'snat',
    listen,
    opens(1000, `${router}:1000`),
    read,
  ),
  script('snat-udp', 'a datagram and its answer', 'snat', [
    from(client, 2000),
    udp('outside', `${server}:53>${router}:2000`),
  ]),
  script(
    'snat-answer-to-the-client',
    'an answer to the address before translation is no answer',
    'snat',
    [from(client, 2000), udp('outside', `${server}:53>${client}:2000`)],
  ),
  script('snat-icmp', 'a ping keeps its id', 'snat', [
    { op: 'packet', from: 'inside', tuple: `icmp ${client}:77>${server}:2048` },
    { op: 'packet', from: 'outside', tuple: `icmp ${server}:77>${router}:0` },
  ]),
  script('snat-two-servers', 'one source, two servers: one mapping', 'snat', [
    from(client, 2000),
    udp('inside', `${client}:2000>10.2.0.8:53`),
  ]),
  script('narrow-one', 'a port outside the range is moved into it', 'narrow', [
    from(client, 5000),
    udp('outside', `${server}:53>${router}:5000`),
  ]),
  script('narrow-clash', 'the port is taken: the other one', 'narrow', [
    from(client, 5000),
    from(other, 5000),
    table,
  ]),
  script('narrow-full', 'no port is left: the flow is not made', 'narrow', listen, [
    from(client, 5000),
    from(other, 5000),
    from('10.1.0.4', 5000),
    read,
  ]),
  script('dnat', 'a port of the router leads to a server inside', 'dnat', listen, [
    { op: 'packet', from: 'outside', tuple: `tcp ${server}:4000>${router}:8080`, flags: 'S' },
    { op: 'packet', from: 'inside', tuple: `tcp 10.1.0.9:80>${server}:4000`, flags: 'SA' },
    { op: 'packet', from: 'outside', tuple: `tcp ${server}:4000>${router}:8080`, flags: 'A' },
    read,
  ]),
  script('dnat-other-port', 'another port of the router leads nowhere', 'dnat', [
    { op: 'packet', from: 'outside', tuple: `tcp ${server}:4000>${router}:8081`, flags: 'S' },
  ]),
  script(
    'no-nat-chains',
    'without a chain of type nat the status has no NAT bits',
    'noNatChains',
    opens(1000),
  ),
  script(
    'masquerade',
    'to the address of the interface',
    'masquerade',
    listen,
    opens(1000, `${router}:1000`),
    read,
  ),
  script('masquerade-link-down', 'the interface goes down: its mappings go', 'masquerade', listen, [
    ...opens(1000, `${router}:1000`),
    from(client, 2000),
    { op: 'link', side: 'outside', isUp: false },
    wait(0.3),
    { op: 'read' },
    { op: 'link', side: 'outside', isUp: true },
    wait(0.3),
  ]),
  script('masquerade-address-gone', 'the address goes: its mappings go', 'masquerade', listen, [
    from(client, 2000),
    { op: 'address', change: 'delete', side: 'outside', address: router },
    wait(0.3),
    read,
  ]),
  script('masquerade-other-address', 'another address goes: nothing happens', 'masquerade', [
    { op: 'address', change: 'add', side: 'outside', address: '10.2.0.253' },
    from(client, 2000),
    { op: 'address', change: 'delete', side: 'outside', address: '10.2.0.253' },
    wait(0.3),
  ]),
  script('snat-address-gone', 'SNAT to an address that goes: the flow stays', 'snat', [
    from(client, 2000),
    { op: 'address', change: 'delete', side: 'outside', address: router },
    wait(0.3),
  ]),
  script('snat-refused', 'an RST of the server through the translation', 'snat', listen, [
    fromClient(1000, 'S'),
    fromServer(1000, 'RA', { to: `${router}:1000` }),
    read,
  ]),
];
