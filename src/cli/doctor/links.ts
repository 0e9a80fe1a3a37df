/** `ip -j -d address show`: addresses of each interface, and which interfaces are bridges. */
import { parseIp } from '../../base/ipAddress.js';
import type { LinkAddress, LinkAddresses } from './packets.js';

type Fields = Readonly<Record<string, unknown>>;

/** undefined where the text could not be had. */
export function linkBridges(json: string | undefined): ReadonlySet<string> | undefined {
  const links = linksOf(json);
  if (links === undefined) return undefined;
  return new Set(
    links.filter((link) => kindOf(link) === 'bridge').map((link) => String(link['ifname'])),
  );
}

/** Empty where the text could not be had: then no address is known. */
export function linkAddresses(json: string | undefined): LinkAddresses {
  return new Map(
    (linksOf(json) ?? []).map((link): [string, readonly LinkAddress[]] => [
      String(link['ifname']),
      objects(link['addr_info']).flatMap(({ local, prefixlen }) => {
        const address = typeof local === 'string' ? parseIp(local) : undefined;
        if (address === undefined || typeof prefixlen !== 'number') return [];
        return [{ address, prefixLength: prefixlen }];
      }),
    ]),
  );
}

function kindOf(link: Fields): unknown {
  return objects([link['linkinfo']])[0]?.['info_kind'];
}

function linksOf(json: string | undefined): readonly Fields[] | undefined {
  if (json === undefined) return undefined;
  try {
    return objects(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function objects(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  // Checked: objects have named fields of unknown type.
  return value.filter((one): one is Fields => typeof one === 'object' && one !== null);
}
