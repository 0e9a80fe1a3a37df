'use strict';
/**
 * How the namespace tests are divided. `alone`: what measures time, or fills the machine, and so
 * has it for itself; all else runs side by side. `parts` are those of `./check --full PART`: each
 * file belongs to exactly one of them or to `alone` (test/architecture/testParts.test.ts). `node
 * scripts/testParts.cjs PART` prints the pattern of a part.
 */
const alone = [
  'test/daemon/cluster/crash.ns.test.ts',
  'test/daemon/cluster/handOver.ns.test.ts',
  'test/vrrp/hostile.ns.test.ts',
  'test/vrrp/manyInstances.ns.test.ts',
];

const parts = {
  rounds: 'test/daemon/',
  matrix: 'test/(conformance|vrrp)/',
  soak: 'test/(cli|config|conntrack|control|lab|net|simulation|sync)/',
  packages: 'test/package/',
};

module.exports = { alone, parts };

if (require.main === module) {
  const pattern = parts[process.argv[2]];
  if (pattern === undefined) process.exit(1);
  process.stdout.write(`${pattern}\n`);
}
