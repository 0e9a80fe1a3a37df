import { Secret } from '../../../src/base/secret.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import { AdvertAuthentication } from '../../../src/vrrp/auth/advertAuthentication.js';
import { decodeTrailer } from '../../../src/vrrp/auth/trailer.js';
import type { HmacSettings } from '../../../src/vrrp/settings.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const secret = new Secret(new Uint8Array(32).fill(7));
const hmac: HmacSettings = {
  keys: [{ id: 3, secret }],
  activeKeyId: 3,
  antiReplay: 'time',
  timeWindow: seconds(5),
  mode: 'enforce',
};
const noon = seconds(1_764_590_400);

class SetClock {
  wall = noon;
  now(): ReturnType<typeof seconds> {
    return seconds(1);
  }
  wallClock(): ReturnType<typeof seconds> {
    return this.wall;
  }
}

const advert = new Uint8Array(20);
const source = ip('10.0.0.1');

test('the active key signs, each time with a higher number', () => {
  const auth = new AdvertAuthentication(new SetClock(), undefined);
  const instance = instanceSettings({ hmac });
  const [first, second] = [1, 2].map(() => decodeTrailer(auth.sign(instance, advert, source)));
  expect(first?.keyId).toBe(3);
  expect((second?.number ?? 0n) > (first?.number ?? 0n)).toBe(true);
  expect(auth.numbers.sent).toBe(second?.number);
});

test.each([
  ['receive-only', 0],
  ['permissive', 28],
  ['enforce', 28],
] as const)('mode %s makes %i bytes', (mode, length) => {
  const auth = new AdvertAuthentication(new SetClock(), undefined);
  const instance = instanceSettings({ hmac: { ...hmac, mode } });
  expect(auth.sign(instance, advert, source)).toHaveLength(length);
});

test('without auth_hmac nothing is signed and nothing examined', () => {
  const auth = new AdvertAuthentication(new SetClock(), undefined);
  expect(auth.sign(instanceSettings(), advert, source)).toHaveLength(0);
  const payload = new Uint8Array(48);
  const heard = { source, destination: source, ttl: 255, totalLength: 68, payload };
  expect(auth.examine(instanceSettings(), heard)).toBeUndefined();
});

test('a clock that was set back is known by how far the numbers are ahead', () => {
  const clock = new SetClock();
  const auth = new AdvertAuthentication(clock, undefined);
  auth.sign(instanceSettings({ hmac }), advert, source);
  expect(auth.ahead).toBe(0);
  clock.wall = microseconds(noon - seconds(30));
  expect(auth.ahead).toBe(seconds(30));
});
