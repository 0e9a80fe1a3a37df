/** A recorded life is lived again, and shows where another version of the machine differs. */
import { MachineRecorder, MachineReplay } from '../../src/base/machineRecord.js';

interface Sum {
  readonly total: number;
}
type Say = readonly string[];

const adder =
  (most: number) =>
  (state: Sum, event: number, { factor }: { readonly factor: number }) => {
    const total = Math.min(most, state.total + event * factor);
    return { state: { total }, actions: [`now ${total}`] as Say };
  };

function recording(): readonly object[] {
  const lines: object[] = [];
  const recorder = new MachineRecorder<Sum, { readonly factor: number }, number, string>(
    'adder',
    (line) => lines.push(line),
  );
  const step = adder(100);
  let state: Sum = { total: 1 };
  recorder.begin(state, { factor: 1 });
  for (const [event, factor] of [
    [2, 1],
    [3, 10],
    [4, 10],
  ] as const) {
    const next = step(state, event, { factor });
    recorder.step(event, { factor }, next.actions);
    state = next.state;
  }
  return lines;
}

function replayed(most: number): readonly boolean[] {
  const replay = new MachineReplay(adder(most));
  return recording().flatMap((line) => {
    const step = replay.line(line as Parameters<typeof replay.line>[0]);
    return step === undefined ? [] : [step.recorded.join() === step.actions.join()];
  });
}

test('settings are written once, and again where they change', () => {
  expect(recording()).toEqual([
    { machine: 'adder', state: { total: 1 }, settings: { factor: 1 } },
    { machine: 'adder', event: 2, actions: ['now 3'] },
    { machine: 'adder', settings: { factor: 10 } },
    { machine: 'adder', event: 3, actions: ['now 33'] },
    { machine: 'adder', event: 4, actions: ['now 73'] },
  ]);
});

test('the same machine does the same again', () => {
  expect(replayed(100)).toEqual([true, true, true]);
});

test('another one differs from where it decides otherwise', () => {
  expect(replayed(50)).toEqual([true, true, false]);
});

test('an event before the beginning of a life leads to nothing', () => {
  const replay = new MachineReplay(adder(100));
  expect(replay.line({ machine: 'adder', event: 2, actions: [] })).toBeUndefined();
});
