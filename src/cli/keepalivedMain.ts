/** The program under the name `keepalived`, by a symbolic link, or as `keepstate keepalived`. */
import { runAsKeepalived } from './keepalivedName.js';

const words = process.argv.slice(2);
process.exitCode = runAsKeepalived(words[0] === 'keepalived' ? words.slice(1) : words);
