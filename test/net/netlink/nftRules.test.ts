import { parseNftRuleset, translatedAddresses } from '../../../src/net/netlink/nftRules';

/** Rules as `nft -j list ruleset` (nftables 1.0.6) prints them. */
const rule = (chain: string, ...expr: object[]): object => ({
  rule: { family: 'ip', table: 'nat', chain, expr },
});
const destination = (right: unknown, op = '=='): object => ({
  match: { op, left: { payload: { protocol: 'ip', field: 'daddr' } }, right },
});

test('translated addresses are those of snat, and those whose packets dnat sends elsewhere', () => {
  const json = JSON.stringify({
    nftables: [
      rule('postrouting', { snat: { addr: '10.2.0.254' } }),
      rule('postrouting', { masquerade: null }),
      rule('prerouting', destination('10.2.0.253'), { dnat: { addr: '10.1.0.5' } }),
      rule('prerouting', destination({ set: ['10.2.0.252', '10.2.0.251'] }), {
        redirect: { port: 8080 },
      }),
      rule('prerouting', destination('10.9.9.9', '!='), { dnat: { addr: '10.1.0.5' } }),
      rule('input', destination('10.1.0.254'), { accept: null }),
    ],
  });
  const rules = parseNftRuleset(json)?.rules ?? [];
  expect([...translatedAddresses(rules)].sort()).toEqual([
    '10.2.0.251',
    '10.2.0.252',
    '10.2.0.253',
    '10.2.0.254',
  ]);
});
