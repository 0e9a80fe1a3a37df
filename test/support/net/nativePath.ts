/** Where the addon under test lies, for workers that load it without TypeScript. */
import { join } from 'node:path';

export function builtPath(): string {
  return (
    process.env['KEEPSTATE_NATIVE'] ??
    join(__dirname, '..', '..', '..', 'build', 'Release', 'keepstate_native.node')
  );
}
