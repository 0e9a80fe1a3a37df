/**
 * Each ruleset of the table, as `nft -j list ruleset` and `nft -a list ruleset` (1.0.6) printed it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseIp } from '../../../src/base/ipAddress.js';
import { network, oneAddress } from '../../../src/cli/doctor/nft/domain.js';
import { parseListing } from '../../../src/cli/doctor/nft/rulesetListing.js';
import type { Packet } from '../../../src/cli/doctor/nft/packet.js';
import { ruleText, verdictFor, type Filter } from '../../../src/cli/doctor/nft/way.js';
import { parseNftRuleset } from '../../../src/net/netlink/nftRules.js';
import { repositoryRoot } from '../../lab/runTypescript.js';
import { doctorRulesets } from '../../support/cli/doctorRulesets.js';

interface Captured {
  readonly name: string;
  readonly json: unknown;
  readonly listing: string;
}

const captures = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/vectors/nft/verdicts.json'), 'utf8'),
) as readonly Captured[];

function ip(text: string): NonNullable<ReturnType<typeof parseIp>> {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const advert: Packet = {
  family: 4,
  protocol: 'vrrp',
  interfaceName: 'lan',
  direction: 'in',
  connection: 'new',
  sources: [network(ip('10.1.0.0'), 24)],
  destinations: [oneAddress(ip('224.0.0.18'))],
  isMulticast: true,
  hopLimit: 255,
  isOnLink: true,
};

function filterOf(captured: Captured): Filter {
  const ruleset = parseNftRuleset(JSON.stringify(captured.json));
  if (ruleset === undefined) throw new Error(captured.name);
  return { ruleset, listing: parseListing(captured.listing), bridges: new Set() };
}

test('each row has its capture', () => {
  expect(captures.map(({ name }) => name)).toEqual(doctorRulesets.map(({ name }) => name));
});

test.each(doctorRulesets)('$verdict: $name', ({ name, verdict, because }) => {
  const captured = captures.find((one) => one.name === name);
  if (captured === undefined) throw new Error(`no capture of ${name}`);
  const filter = filterOf(captured);
  const found = verdictFor(advert, filter);
  expect(found.kind).toBe(verdict);
  if (found.kind !== 'unclear') return;
  const named = found.rules.map((rule) => ruleText(rule, filter.listing)).join('; ');
  expect(named).toContain(because);
});
