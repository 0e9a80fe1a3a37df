/** `keepstate key new`: a key for `sync_key` and `auth_hmac`, in a file that root alone reads. */
import type { Command } from 'commander';
import { fileErrorText } from '../base/regularFile.js';
import { createSecretFile } from '../base/secretFile.js';
import { newKeyText } from '../config/keyText.js';
import { processOutput, type TextOutput } from './checkCommand.js';

const examples = `
Examples:
  A key file for this node; copy it to the other one, by a way that you trust:
    $ keepstate key new --file /etc/keepstate/sync.key
    $ scp -p /etc/keepstate/sync.key root@fw2:/etc/keepstate/sync.key

  In both configurations:
    global_defs {
        sync_key 1 file:/etc/keepstate/sync.key
        sync_active_key 1
    }

The file has mode 0600; one that exists is not overwritten. Without --file the key is printed.

Exit status: 0 the key was made, 1 the file could not be made.`;

export function registerKey(program: Command, output: TextOutput = processOutput): void {
  const key = program.command('key').description('make keys for sync_key and auth_hmac');
  key
    .command('new')
    .description('a fresh key of 32 random bytes')
    .option('--file <path>', 'a new file for it, with mode 0600')
    .addHelpText('after', examples)
    .action(({ file }: { file?: string }) => {
      process.exitCode = runKeyNew(file, output);
    });
}

/** Returns the exit status. */
export function runKeyNew(file: string | undefined, output: TextOutput): number {
  const { text, fingerprint } = newKeyText();
  if (file === undefined) {
    output.out(`${text}\n`);
    return 0;
  }
  try {
    createSecretFile(file, `${text}\n`);
  } catch (error) {
    output.error(`${file}: ${fileErrorText(error)}\n`);
    return 1;
  }
  output.out(`${file}: a new key, fingerprint ${fingerprint}\n`);
  return 0;
}
