/** A datagram as the event of its instance, with what its signature is worth. */
import type { AdvertAuthentication } from './auth/advertAuthentication.js';
import { isSignedForm } from './machine/advertAcceptance.js';
import type { InstanceSettings } from './settings.js';
import type { UnitInput } from './unitRunner.js';

/** The numbers of what is right are remembered: each datagram is asked for once. */
export function provedInput(
  auth: AdvertAuthentication,
  instance: InstanceSettings,
  event: Extract<UnitInput, { kind: 'datagram' }>,
): UnitInput {
  if (!isSignedForm(event.datagram, instance)) return event;
  const proof = auth.examine(instance, event.datagram);
  return proof === undefined ? event : { ...event, proof };
}
