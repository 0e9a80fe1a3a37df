/**
 * A program that makes kernel events with a ctnetlink injector, for storms beside a reader. Arguments:
 *   create COUNT | churn FLOWS ROUNDS PAUSE_MS (creates and deletes FLOWS flows, ROUNDS times)
 * Prints one JSON line at the end.
 */
import { ConntrackInjector } from './ctInjector';

async function main(): Promise<void> {
  const [action = '', ...numbers] = process.argv.slice(2);
  const [count = 0, rounds = 1, pause = 0] = numbers.map(Number);
  const injector = ConntrackInjector.open();
  const errors: Record<string, number> = {};
  const inject = (what: 'create' | 'delete'): void => {
    const result = injector.inject({ count, action: what, timeoutSeconds: 600 });
    for (const [name, n] of Object.entries(result.errors)) errors[name] = (errors[name] ?? 0) + n;
  };
  process.stdout.write('"ready":true\n');
  if (action === 'create') inject('create');
  for (let round = 0; action === 'churn' && round < rounds; round++) {
    inject('create');
    inject('delete');
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  injector.close();
  process.stdout.write(`${JSON.stringify({ done: true, errors })}\n`);
}

void main();
