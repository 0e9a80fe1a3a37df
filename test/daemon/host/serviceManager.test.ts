import { seconds, type ArmedTimer, type Timers } from '../../../src/base/time.js';
import { serviceEnvironment, ServiceManager } from '../../../src/daemon/host/serviceManager.js';

class ManualTimers implements Timers {
  armed: (() => void)[] = [];
  after(_delay: number, callback: (due: never) => void): ArmedTimer {
    const ring = (): void => (callback as () => void)();
    this.armed.push(ring);
    return { cancel: () => (this.armed = this.armed.filter((one) => one !== ring)) };
  }
  ringAll(): void {
    for (const ring of this.armed.splice(0)) ring();
  }
}

describe('service manager', () => {
  test('is told readiness, a changed status once, and signs of life only while VRRP runs', () => {
    const sent: string[] = [];
    const timers = new ManualTimers();
    const service = new ServiceManager((text) => sent.push(text), timers, {
      watchdog: seconds(9),
    });
    let isAlive = true;
    service.ready('VI MASTER', () => isAlive);
    service.status('VI MASTER');
    service.status('VI BACKUP');
    timers.ringAll();
    isAlive = false;
    timers.ringAll();
    service.stopping();
    expect(timers.armed).toEqual([]);
    expect(sent).toEqual([
      'READY=1\nSTATUS=VI MASTER',
      'WATCHDOG=1',
      'STATUS=VI BACKUP',
      'WATCHDOG=1',
      'STOPPING=1',
    ]);
  });

  test('the watchdog period counts only for this process', () => {
    expect(serviceEnvironment({ WATCHDOG_USEC: '9000000', WATCHDOG_PID: '7' }, 7).watchdog).toBe(
      9_000_000,
    );
    expect(serviceEnvironment({ WATCHDOG_USEC: '9000000', WATCHDOG_PID: '8' }, 7).watchdog).toBe(
      undefined,
    );
    expect(serviceEnvironment({}, 7).watchdog).toBe(undefined);
  });
});
