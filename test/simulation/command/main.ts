/** `npm run simulate`: lives of a simulated cluster, many or one. `--help` teaches it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Coverage } from '../coverage.js';
import { planOf, type Plan } from '../faults/plan.js';
import { installSimulatedAddon } from '../kernel/simulatedAddon.js';
import { outsideOfMicrotasks } from '../world/microtasks.js';
import { costOf } from './cost.js';
import { manyLives, type LivesWanted } from './manyLives.js';
import { oneLife } from './oneLife.js';
import { helpText, readOptions, type CommandOptions } from './options.js';
import { runRounds } from './parallel.js';
import { tallyText, type Tally } from './tally.js';

const root = resolve(__dirname, '../../..');

async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  const { seed, plan, lives, part, story, clients } = options;
  installSimulatedAddon();
  // The memory of the process is none of the simulated ones', and asking for it costs a look at
  // /proc.
  Object.defineProperty(process.memoryUsage, 'rss', { value: () => 100_000_000 });
  if (part !== undefined) return answerPart(part);
  if (options.measure !== undefined) return showCost(options.measure, clients);
  if (options.help || (seed ?? plan ?? lives) === undefined) {
    process.stdout.write(helpText());
    return options.help ? 0 : 2;
  }
  if (plan !== undefined) {
    return showOne(JSON.parse(readFileSync(plan, 'utf8')) as Plan, story, `--plan ${plan}`);
  }
  if (seed !== undefined) return showOne(planOf(seed, clients), story, `--seed ${seed}`);
  return showMany({ ...options, lives: lives ?? 0 });
}

async function showOne(plan: Plan, isStory: boolean, how: string): Promise<number> {
  const command = `npm run simulate -- ${how} --story`;
  const { text, isBroken } = await outsideOfMicrotasks(() => oneLife(plan, isStory, command));
  process.stdout.write(`${text}\n`);
  return isBroken ? 1 : 0;
}

async function showMany(options: CommandOptions & { readonly lives: number }): Promise<number> {
  let shown = 0;
  const showBroken = ({ broken }: Tally): void => {
    for (const { seed, invariant, text } of broken.slice(shown)) {
      process.stdout.write(`seed ${seed}: ${invariant}: ${text.slice(0, 300)}\n`);
    }
    shown = broken.length;
  };
  const tally = await runRounds(options, __filename, ({ next, tally: sums }) => {
    showBroken(sums);
    process.stderr.write(`${sums.lives} lives, next seed ${next}, ${sums.broken.length} broken\n`);
  });
  process.stdout.write(`${tallyText(tally)}\n`);
  if (options.coverage) {
    const coverage = new Coverage();
    coverage.add(tally.reached);
    process.stdout.write(`never reached: ${coverage.missing(root).join(', ') || 'nothing'}\n`);
  }
  return tally.broken.length > 0 ? 1 : 0;
}

async function showCost(lives: number, clients: number): Promise<number> {
  const figures = await outsideOfMicrotasks(() => costOf(lives, clients));
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return 0;
}

async function answerPart(text: string): Promise<number> {
  // What the parent process gives.
  const wanted = JSON.parse(text) as LivesWanted;
  const tally = await outsideOfMicrotasks(() => manyLives(wanted));
  await new Promise((done) => process.send?.(tally, done));
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(2);
  },
);
