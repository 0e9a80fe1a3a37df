/**
 * `vrrp_strict` and `strict_mode`: what keepalived 2.2.7 corrects for the RFC's sake, each
 * correction said.
 */
import type { InstanceSettings, VrrpVersion } from '../../vrrp/settings.js';
import { last, type Located } from '../table/row.js';
import type { BuildContext } from './context.js';
import type { InstanceDefaults } from './globals.js';
import type { InstanceValues } from './instanceBlock.js';
import { valueOf } from './context.js';

type StrictPart = Pick<
  InstanceSettings,
  'accept' | 'downTimerAdverts' | 'lowerPrioNoAdvert' | 'higherPrioSendAdvert'
>;

const ownerPriority = 255;

/** `garp_lower_prio_*` are corrected in garp.ts, `state` and `preempt_delay` in roles.ts. */
export function buildStrictPart(
  values: InstanceValues,
  role: { readonly strict: boolean; readonly version: VrrpVersion; readonly priority: number },
  defaults: InstanceDefaults,
  context: BuildContext,
): StrictPart {
  if (!role.strict) {
    return {
      accept: valueOf(values.accept) ?? true,
      downTimerAdverts: valueOf(values.down_timer_adverts) ?? defaults.downTimerAdverts,
      lowerPrioNoAdvert: valueOf(values.lower_prio_no_advert) ?? defaults.lowerPrioNoAdvert,
      higherPrioSendAdvert:
        valueOf(values.higher_prio_send_advert) ?? defaults.higherPrioSendAdvert,
    };
  }
  corrected(values.down_timer_adverts, 3, 'down_timer_adverts 3', context);
  corrected(values.lower_prio_no_advert, true, 'lower_prio_no_advert on', context);
  corrected(values.higher_prio_send_advert, false, 'higher_prio_send_advert off', context);
  corrected(values.garp_lower_prio_delay, 0, 'garp_lower_prio_delay 0', context);
  corrected(values.garp_lower_prio_repeat, 0, 'garp_lower_prio_repeat 0', context);
  return {
    accept: acceptsStrictly(values, role.version, role.priority, context),
    downTimerAdverts: 3,
    lowerPrioNoAdvert: true,
    higherPrioSendAdvert: false,
  };
}

/**
 * RFC 3768 section 6.4.3: who is not the owner does not answer; RFC 5798 has an Accept_Mode, false
 * by default.
 */
function acceptsStrictly(
  values: InstanceValues,
  version: VrrpVersion,
  priority: number,
  context: BuildContext,
): boolean {
  const wanted = valueOf(values.accept) ?? false;
  if (priority === ownerPriority || (wanted && version === 3)) return true;
  corrected(values.accept, false, 'no_accept', context);
  return false;
}

function corrected<T>(
  values: readonly Located<T>[],
  to: T,
  line: string,
  { problems }: BuildContext,
): void {
  const located = last(values);
  if (located === undefined || located.value === to) return;
  const message = `strict mode takes '${located.keyword}' as '${line}'`;
  problems.warning(located.at, 'strict-mode', message, {
    expected: `${line}, or strict_mode off`,
    fix: { kind: 'line', line },
  });
}
