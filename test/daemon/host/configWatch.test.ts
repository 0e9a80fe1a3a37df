/** A configuration that is wrong although the daemon runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '../../../src/base/time.js';
import { loadNode, type LoadResult } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { ConfigWatch } from '../../../src/daemon/host/configWatch.js';
import { planReload } from '../../../src/daemon/reload.js';
import { watchFiles } from '../../../src/daemon/host/watchedFiles.js';
import { ManualTime } from '../../support/base/manualTime.js';

describe('the configuration on the disk', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-watch-'));
    write('priority 100');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const write = (line: string): void => {
    writeFileSync(join(directory, 'part.conf'), `${line}\n`);
    const text = 'vrrp_instance VI {\n interface lo\n virtual_router_id 1\n include part.conf\n}\n';
    writeFileSync(join(directory, 'k.conf'), text);
  };

  function harness(): {
    watch: ConfigWatch;
    time: ManualTime;
    loads: () => number;
    codes: () => string[];
  } {
    const time = new ManualTime();
    const ports = systemLoadPorts({ machine: false });
    const watched = watchFiles(ports.files);
    let loads = 0;
    const load = (): LoadResult => {
      loads++;
      watched.forget();
      return loadNode(join(directory, 'k.conf'), { ...ports, files: watched.files });
    };
    const settings = load().settings;
    if (settings === undefined) throw new Error('the first one is right');
    const plan = (loaded: LoadResult) => planReload(settings, loaded).kind;
    const watch = new ConfigWatch({ timers: time, load, stamp: watched.stamp, plan });
    watch.start();
    return {
      watch,
      time,
      loads: () => loads,
      codes: () => watch.problems().map(({ code }) => code),
    };
  }

  test('that would not start is a problem, until it would; also in a file that is included', async () => {
    const { watch, time, codes } = harness();
    write('priorty 90');
    await time.advance(seconds(21));
    expect(codes()).toEqual(['config-broken']);
    expect(watch.problems()[0]?.text).toContain('part.conf:1:1');
    write('priority 90');
    await time.advance(seconds(21));
    expect(codes()).toEqual([]);
    rmSync(join(directory, 'k.conf'));
    await time.advance(seconds(21));
    expect(codes()).toEqual(['config-broken']);
  });

  test('is read only after it changed', async () => {
    const { time, loads } = harness();
    await time.advance(seconds(300));
    expect(loads()).toBe(1);
    write('priority 90');
    await time.advance(seconds(300));
    expect(loads()).toBe(2);
  });

  test('that a reload refused is a problem, until one succeeds or it is as before', async () => {
    const { watch, time, codes } = harness();
    const refused = {
      ok: false,
      code: 'bad-configuration',
      message: 'k.conf:1:1: no\nk.conf:2:1: no',
    } as const;
    watch.reloaded(refused);
    expect(watch.problems()).toMatchObject([
      {
        code: 'reload-refused',
        text: 'the last reload was refused or failed: k.conf:1:1: no (and 1 more)',
      },
    ]);
    watch.reloaded({ ok: true, result: {} });
    expect(codes()).toEqual([]);
    write('priority 91');
    watch.reloaded(refused);
    await time.advance(seconds(21));
    expect(codes()).toEqual(['reload-refused']);
    write('priority 100');
    await time.advance(seconds(21));
    expect(codes()).toEqual([]);
  });
});
