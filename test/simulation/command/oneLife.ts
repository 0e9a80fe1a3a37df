/** One life for a person: its story, or the shortest story that breaks the same promise. */
import { faultText } from '../faults/carryOut.js';
import type { Plan } from '../faults/plan.js';
import { live, type LifeResult } from '../life.js';
import { promises } from '../invariants/promises.js';
import { shrink } from '../shrink.js';

export interface OneLife {
  readonly text: string;
  readonly isBroken: boolean;
}

/** To be called outside of microtasks. `command` repeats it. */
export function oneLife(plan: Plan, isStory: boolean, command: string): OneLife {
  const result = live(plan, { isTold: true });
  const [first] = result.violations;
  const isBroken = first !== undefined;
  if (isStory) return { text: `${storyText(result)}\n${endText(result, plan)}`, isBroken };
  if (first === undefined) return { text: endText(result, plan), isBroken };
  const short = shrink(plan, first.invariant);
  const again = live(short, { isTold: true });
  const text = [
    `${first.invariant}: ${promises[first.invariant]}`,
    `broken at ${seconds(first.at)} s: ${first.text}`,
    '',
    `The shortest life that breaks it: ${short.faults.length} faults, ${short.clients} clients.`,
    ...short.faults.map((fault) => `  ${seconds(fault.at * 1_000)} s  ${faultText(fault)}`),
    '',
    storyText(again),
    '',
    `To repeat: ${command}`,
    `This shorter one as a plan: ${JSON.stringify(short)}`,
  ].join('\n');
  return { text, isBroken };
}

function storyText({ story }: LifeResult): string {
  return story
    .map(({ at, who, text }) => `${seconds(at).padStart(9)} ${who.padEnd(9)} ${text}`)
    .join('\n');
}

function endText({ violations, events, flows }: LifeResult, plan: Plan): string {
  const broken = violations.map(({ invariant, text }) => `BROKEN ${invariant}: ${text}`);
  const counts = `${plan.faults.length} faults, ${flows} flows, ${events} events`;
  return [...broken, `${violations.length === 0 ? 'all promises kept' : 'broken'}: ${counts}`].join(
    '\n',
  );
}

function seconds(microseconds: number): string {
  return (microseconds / 1_000_000).toFixed(4);
}
