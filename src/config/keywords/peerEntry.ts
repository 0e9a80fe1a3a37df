/** An entry of `unicast_peer`: `ADDRESS [min_ttl N] [max_ttl N]`. */
import { formatIp } from '../../base/ipAddress.js';
import type { UnicastPeer } from '../../vrrp/settings.js';
import { nearestWord } from '../nearest.js';
import type { ParseContext } from '../table/row.js';
import { readHostAddress } from '../table/scalarTypes.js';
import type { ItemType } from '../table/wordTypes.js';
import type { Token } from '../text/token.js';

export const peerItems: ItemType<UnicastPeer> = {
  name: 'ADDRESS [min_ttl 0..255] [max_ttl 0..255]',
  parse: ([first, ...options], context) => {
    const { problems, owner } = context;
    if (first === undefined) return undefined;
    const address = readHostAddress(first.text);
    if (address === undefined) {
      const message = `'${first.text.slice(0, 60)}' is not an address for '${owner}'`;
      problems.error(first.at, 'bad-address', message, { expected: 'an IPv4 or IPv6 address' });
      return undefined;
    }
    let peer: UnicastPeer = { address };
    for (let i = 0; i < options.length; i += 2) {
      const limit = ttlLimit(options[i], options[i + 1], context);
      if (limit === undefined) return undefined;
      peer = { ...peer, ...limit };
    }
    return peer;
  },
  print: ({ address, minTtl, maxTtl }) => [
    formatIp(address),
    ...(minTtl === undefined ? [] : ['min_ttl', String(minTtl)]),
    ...(maxTtl === undefined ? [] : ['max_ttl', String(maxTtl)]),
  ],
};

/** `min_ttl N` or `max_ttl N`. */
function ttlLimit(
  name: Token | undefined,
  value: Token | undefined,
  { problems, owner }: ParseContext,
): Partial<UnicastPeer> | undefined {
  if (name === undefined) return undefined;
  if (name.text !== 'min_ttl' && name.text !== 'max_ttl') {
    const nearest = nearestWord(name.text, ['min_ttl', 'max_ttl']);
    const details = nearest === undefined ? { expected: 'min_ttl or max_ttl' } : { nearest };
    problems.error(
      name.at,
      'unknown-keyword',
      `unknown word '${name.text}' in '${owner}'`,
      details,
    );
    return undefined;
  }
  const ttl = value !== undefined && /^\d{1,3}$/.test(value.text) ? Number(value.text) : 256;
  if (ttl > 255) {
    const at = value?.at ?? name.at;
    problems.error(at, 'bad-value', `'${name.text}' is wrong`, { expected: '0..255' });
    return undefined;
  }
  return name.text === 'min_ttl' ? { minTtl: ttl } : { maxTtl: ttl };
}
