/** The program `keepstate`: gives commander the words of the command line. */
import { buildProgram } from './program.js';

// A reader that went away (| head) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Nor does a daemon end because nobody reads its log, or because the disk under it is full: the
// line is lost.
process.stderr.on('error', () => undefined);

void buildProgram().parseAsync();
