/**
 * iptables-legacy: its tables are no part of nftables. The kernel names those that were ever asked
 * for, also where nothing is in them (`iptables-legacy -L` makes an empty one); what is in them
 * only iptables-legacy-save knows.
 */

/**
 * `names`: /proc/net/ip_tables_names or ip6_tables_names. `saved`: of iptables-legacy-save, where
 * it is installed.
 */
export function legacyTablesInUse(
  family: 'ip' | 'ip6',
  names: string,
  saved: string | undefined,
): readonly string[] {
  const tables = names.split('\n').filter((name) => name !== '');
  return tables
    .filter((name) => saved === undefined || holdsSomething(saved, name))
    .map((name) => `${family} ${name}`);
}

/** A rule, or a policy that is not ACCEPT; also where the table is missing from what was saved. */
function holdsSomething(saved: string, name: string): boolean {
  const lines = saved.split('\n');
  const start = lines.indexOf(`*${name}`);
  if (start < 0) return true;
  const rest = lines.slice(start + 1);
  const end = rest.indexOf('COMMIT');
  return rest
    .slice(0, end < 0 ? undefined : end)
    .some((line) => line.startsWith('-A ') || /^:\S+ (?!ACCEPT\b|-)/.test(line));
}
