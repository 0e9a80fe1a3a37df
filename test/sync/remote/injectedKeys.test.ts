import {
  clearScratch,
  deriveReply,
  newScratch,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { InjectedKeys } from '../../../src/sync/remote/injectedKeys';

const scratch = newScratch(new NameTable());

function flow(port: number): FlowCursor {
  clearScratch(scratch);
  scratch.setKind(false, 6);
  scratch.set(recordWord.originalPorts, port);
  deriveReply(scratch);
  return scratch;
}

describe('the keys of injected flows', () => {
  let keys: InjectedKeys;

  beforeEach(() => {
    keys = new InjectedKeys(100, [1, 2]);
    for (const port of [1, 2, 3]) keys.add(flow(port));
  });

  test('hold what was injected, once, until it ends', () => {
    keys.add(flow(1));
    expect(keys.count).toBe(3);
    expect(keys.holds(flow(1))).toBe(true);
    expect(keys.holds(flow(4))).toBe(false);
    expect(keys.remove(flow(1))).toBe(true);
    expect(keys.remove(flow(1))).toBe(false);
    expect(keys.holds(flow(1))).toBe(false);
  });

  test('forget what a whole comparison does not find, and keep what is injected meanwhile', () => {
    keys.beginPass();
    expect(keys.holds(flow(2))).toBe(true);
    keys.add(flow(4));
    keys.endPass(true);
    expect([1, 2, 3, 4].map((port) => keys.holds(flow(port)))).toEqual([false, true, false, true]);
    expect(keys.count).toBe(2);
  });

  test('forget nothing where the comparison failed', () => {
    keys.beginPass();
    keys.endPass(false);
    expect(keys.count).toBe(3);
  });

  test('still hold in a comparison what the peer ends meanwhile: the dump may be older', () => {
    keys.beginPass();
    keys.leave(flow(1));
    expect(keys.holds(flow(1))).toBe(true);
    keys.endPass(true);
    expect(keys.holds(flow(1))).toBe(false);
  });

  test('are bounded', () => {
    for (let port = 10; port < 300; port++) keys.add(flow(port));
    expect(keys.count).toBe(100);
  });
});
