/**
 * What is left of an outcome when all that differs between two runs of one program is taken out.
 */
import type { CaseOutcome, CaseResult } from './conntrackCases';

/** Ids, times and counts of processors; the order of a hash table; the number of the version. */
export function withoutChance(text: string): string {
  return text
    .replace(/v1\.4\.\d+/g, 'v1.4.x')
    .replace(/(\bid=|<id>)\d+/g, '$1N')
    .replace(/^((?:ipv[46] +\d+ )?\S+ +\d+) \d+ /gm, '$1 T ')
    .replace(/<timeout>\d+/g, '<timeout>T')
    .replace(/^(-[AUD]) -t \d+/gm, '$1 -t T')
    .replace(/(delta-time=|<deltatime>|<start>)\d+/g, '$1N')
    .replace(/\[start=[^\]]*\]/g, '[start]')
    .replace(/\b(insert|found|expect_\w+)=\d+/g, '$1=N')
    .split('\n')
    .sort()
    .join('\n');
}

/** Parts in which the two programs differ; empty when they agree. */
export function differencesOf({ real, ours }: CaseResult): string[] {
  const parts: (keyof CaseOutcome)[] = ['exitCode', 'stdout', 'stderr', 'table'];
  return parts
    .filter((part) => withoutChance(String(real[part])) !== withoutChance(String(ours[part])))
    .map(
      (part) =>
        `${part}\n  real: ${withoutChance(String(real[part])).trim()}` +
        `\n  ours: ${withoutChance(String(ours[part])).trim()}`,
    );
}
