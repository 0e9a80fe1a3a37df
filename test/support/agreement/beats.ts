/** Beats of arbitrary nodes, in the form that survives the wire. */
import fc from 'fast-check';
import { formatIp, ipFromBytes } from '../../../src/base/ipAddress.js';
import type { BeatContent, BeatUnit } from '../../../src/agreement/wire/beatContent.js';
import type { PathState, Role } from '../../../src/agreement/statement.js';

const byte = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const name = fc.stringMatching(/^[a-z0-9.-]{1,15}$/);

export const anyAddress = fc
  .oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  .map((bytes) => formatIp(ipFromBytes(bytes) ?? { family: 4, bytes: new Uint8Array(4) }));

const roles: readonly Role[] = ['INIT', 'BACKUP', 'MASTER', 'FAULT'];
const states: readonly PathState[] = ['unknown', 'living', 'silent', 'blind', 'down'];

function unit(paths: readonly string[]): fc.Arbitrary<BeatUnit> {
  const reach = fc.record({ answered: byte, hasCarrier: fc.boolean(), hasTargets: fc.boolean() });
  const says = fc.record({
    ...{ role: fc.constantFrom(...roles), term: word, held: word, claims: word },
    ...{ isLastResort: fc.boolean(), isSynchronised: fc.boolean(), isInMaintenance: fc.boolean() },
    ...{ priority: byte, address: anyAddress, faulty: fc.array(name, { maxLength: 8 }) },
    reach: recordOf(paths, reach),
    asks: fc.array(anyAddress, { maxLength: 8 }),
  });
  return fc.record({ identity: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), says });
}

/** Of some of these names. */
function recordOf<Value>(
  names: readonly string[],
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<Readonly<Record<string, Value>>> {
  return fc
    .subarray([...names])
    .chain((some) => fc.tuple(...some.map((one) => fc.tuple(fc.constant(one), value))))
    .map((entries) => Object.fromEntries(entries));
}

/** At most two units: those fit whatever they say of themselves. */
export const anyContent: fc.Arbitrary<BeatContent> = fc
  .uniqueArray(name, { minLength: 1, maxLength: 4 })
  .chain((paths) => {
    const hears = paths.map((path) => fc.tuple(fc.constant(path), fc.constantFrom(...states)));
    return fc.record({
      ...{ hasRealTime: fc.boolean(), hasEnded: fc.boolean(), paths: fc.constant(paths) },
      hears: fc
        .uniqueArray(anyAddress, { maxLength: 2 })
        .chain((nodes) =>
          fc.tuple(
            ...nodes.map((node) =>
              fc.tuple(
                fc.constant(node),
                fc.tuple(...hears).map((entries) => Object.fromEntries(entries)),
              ),
            ),
          ),
        )
        .map((entries) => Object.fromEntries(entries)),
      units: fc.array(unit(paths), { maxLength: 1 }),
      more: byte,
    });
  });
