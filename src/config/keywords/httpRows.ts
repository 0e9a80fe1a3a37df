/** The `http` block (ours): where the node shows itself, and to whom. */
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { AddressPrefix } from '../../sync/settings.js';
import { keepstate, type ValueType } from '../table/row.js';
import { path } from '../table/scalarTypes.js';
import { readPrefix } from './addressEntry.js';

export interface HttpListen {
  readonly address: IpAddress;
  readonly port: number;
}

/** `ADDRESS PORT`. */
const listenType: ValueType<HttpListen> = {
  name: 'address port',
  minWords: 2,
  maxWords: 2,
  parse: ({ words: [where, number] }, { problems }) => {
    if (where === undefined || number === undefined) return undefined;
    const address = parseIp(where.text);
    const port = /^\d{1,5}$/.test(number.text) ? Number(number.text) : 0;
    if (address !== undefined && port >= 1 && port <= 65_535) return { address, port };
    const wrong = address === undefined ? where : number;
    problems.error(wrong.at, 'bad-value', `'${wrong.text.slice(0, 60)}' does not fit here`, {
      expected: 'an IPv4 or IPv6 address and a TCP port 1..65535',
    });
    return undefined;
  },
  print: ({ address, port }) => ({ words: [formatIp(address), String(port)] }),
};

/** `NETWORK ...`, of either family. */
const networks: ValueType<readonly AddressPrefix[]> = {
  name: 'address[/length] ...',
  minWords: 1,
  maxWords: Number.POSITIVE_INFINITY,
  parse: ({ words }, { problems }) => {
    const found: AddressPrefix[] = [];
    for (const { text, at } of words) {
      const prefix = readPrefix(text);
      if (prefix === undefined) {
        problems.error(at, 'bad-value', `'${text.slice(0, 60)}' is no network`, {
          expected: 'an address with or without /length',
        });
        return undefined;
      }
      found.push(prefix);
    }
    return found;
  },
  print: (value) => ({
    words: value.map(({ address, prefixLength }) => `${formatIp(address)}/${prefixLength}`),
  }),
};

export const httpRows = {
  listen: keepstate(listenType, 'address and TCP port of metrics, health, status and page', {
    repeats: true,
  }),
  unix: keepstate(path, 'the same at a UNIX socket of mode 0600, for a proxy of this machine'),
  allow: keepstate(networks, 'clients that are answered at the addresses of listen', {
    repeats: true,
    default: '127.0.0.0/8 ::1',
  }),
} as const;
