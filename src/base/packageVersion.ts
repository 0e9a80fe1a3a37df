/** The version of this program, from the package that it belongs to. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * `version` of the nearest package.json upwards from this file, in src/ as in dist/; `unknown`
 * where there is none.
 */
export function packageVersion(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (!existsSync(path)) continue;
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const hasVersion = typeof value === 'object' && value !== null && 'version' in value;
    return hasVersion ? String(value.version) : 'unknown';
  }
  return 'unknown';
}
