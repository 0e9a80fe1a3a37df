/**
 * Kinds of causes of a role change, for counting: the history has sentences
 * (src/vrrp/machine/reasons.ts and its neighbours). Pure.
 */

const kinds: readonly (readonly [kind: string, sentence: RegExp])[] = [
  ['silence', /^no advertisement from|^no master was heard|is gone$/],
  ['given-up', /gave up the role$|^hand-over from/],
  ['preemption', /^preempts /],
  ['stronger-master', /has the (?:higher|same) priority|is MASTER with priority/],
  ['operator', /^(?:failover|maintenance|planned hand-over|stopped|shutting down)/],
  ['configuration', /^removed from the configuration|^joins |^owns the addresses/],
  ['recovery', /^no fault is left|^resumes after a crash/],
  ['start', /^start/],
];

export const roleCauses = [...kinds.map(([kind]) => kind), 'fault', 'group', 'other'];

/** One of `roleCauses`. `to` is the new state. */
export function roleCause(because: string, to: string): string {
  if (/^follows \S+ in group /.test(because)) return 'group';
  if (to === 'FAULT') return 'fault';
  // A group names the member that began it.
  const sentence = because.replace(/^[^\s:]+: /, '');
  return kinds.find(([, words]) => words.test(sentence))?.[0] ?? 'other';
}
