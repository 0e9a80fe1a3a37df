/** Runs `flows` alone, as main.ts registers it. */
import { Command } from 'commander';
import { registerFlows } from '../../src/cli/flows.js';

const program = new Command('keepstate');
registerFlows(program);
void program.parseAsync();
