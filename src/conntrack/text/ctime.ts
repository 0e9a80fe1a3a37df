/** ctime(3) without its newline: `Fri Nov 20 15:36:01 2026`, local time zone. */

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `nanoseconds` since 1970. */
export function ctime(nanoseconds: bigint): string {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  const day = String(date.getDate()).padStart(2);
  return `${days[date.getDay()] ?? ''} ${months[date.getMonth()] ?? ''} ${day} ${clock} ${date.getFullYear()}`;
}
