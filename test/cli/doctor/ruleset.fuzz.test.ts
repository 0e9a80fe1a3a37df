/** Whatever stands in nft's JSON, doctor reads it to an end. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseListing } from '../../../src/cli/doctor/nft/rulesetListing.js';
import type { Packet } from '../../../src/cli/doctor/nft/packet.js';
import { verdictFor } from '../../../src/cli/doctor/nft/way.js';
import { parseNftRuleset } from '../../../src/net/netlink/nftRules.js';
import { repositoryRoot } from '../../lab/runTypescript.js';

const path = join(repositoryRoot, 'test/vectors/nft/verdicts.json');
const captures = JSON.parse(readFileSync(path, 'utf8')) as readonly {
  readonly json: unknown;
  readonly listing: string;
}[];

const packet: Packet = {
  family: 4,
  protocol: 'udp',
  interfaceName: 'lan',
  direction: 'in',
  connection: 'new',
  sources: [],
  destinations: [],
  destinationPort: 3780,
  isMulticast: false,
  isOnLink: true,
};

/** `value` with one part, the `at`th that is met, replaced. */
function replaced(value: unknown, at: number, by: unknown): unknown {
  let count = 0;
  const visit = (part: unknown): unknown => {
    if (count++ === at) return by;
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, visit(one)]));
  };
  return visit(value);
}

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>('@none', '*', -1, 1e300, { range: [1] }, { prefix: { len: 900 } }),
  fc.constantFrom<unknown>(
    { concat: [] },
    { elem: {} },
    { set: [[]] },
    { jump: { target: 'input' } },
  ),
);

test('a ruleset with anything anywhere has a verdict', () => {
  fc.assert(
    fc.property(fc.constantFrom(...captures), fc.nat(150), odd, (captured, at, by) => {
      const ruleset = parseNftRuleset(JSON.stringify(replaced(captured.json, at, by)));
      if (ruleset === undefined) return;
      const listing = parseListing(captured.listing);
      const { kind } = verdictFor(packet, { ruleset, listing, bridges: undefined });
      expect(['passes', 'dropped', 'unclear']).toContain(kind);
    }),
    { numRuns: 2_000, interruptAfterTimeLimit: 10_000 },
  );
});

test('a listing of any text is read', () => {
  fc.assert(
    fc.property(
      fc
        .array(
          fc.constantFrom(
            'table ',
            'chain ',
            'a b',
            ' {',
            '}',
            '# handle ',
            '5',
            '\n',
            'type filter hook ingress device',
          ),
        )
        .map((words) => words.join('')),
      (text) => {
        parseListing(text);
      },
    ),
    { numRuns: 1_000 },
  );
});
