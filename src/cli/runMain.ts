/** `keepstate run`: the daemon starts without the code of the other commands. */
import { programBase, startProgram } from './programBase.js';
import { registerRun } from './runCommand.js';

const program = programBase();
registerRun(program);
startProgram(program);
