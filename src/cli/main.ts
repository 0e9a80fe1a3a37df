/** The program `keepstate` with all its commands. */
import { buildProgram } from './program.js';
import { startProgram } from './programBase.js';

startProgram(buildProgram());
