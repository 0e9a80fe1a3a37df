import { silentLogger } from '../../src/base/logger.js';
import { loadNodeText, type LoadResult } from '../../src/config/loadNode.js';
import { systemLoadPorts } from '../../src/config/systemPorts.js';
import { planReload, Reloader } from '../../src/daemon/reload.js';

describe('reload', () => {
  const load = (text: string): LoadResult =>
    loadNodeText(text, 'f', systemLoadPorts({ machine: false }));
  const text = (more: string, globals = ''): string =>
    `global_defs {\n${globals}\n}\nvrrp_instance VI {\n interface eth0\n virtual_router_id 1\n ${more}\n}\n`;
  const current = load(text('priority 100')).settings!;

  test.each([
    ['the same file', text('priority 100'), 'nothing'],
    ['another priority', text('priority 90'), 'apply'],
    ['a wrong keyword', text('priorty 90'), 'refused'],
    ['another state directory', text('priority 100', 'state_directory /x'), 'refused'],
  ])('of %s', (_what, next, kind) => {
    expect(planReload(current, load(next)).kind).toBe(kind);
  });

  test('that fails half way is answered, and applied again although the file is the same', async () => {
    let settings = current;
    const applied: (string | undefined)[] = [];
    let trouble: string | undefined = 'no space';
    const reloader = new Reloader({
      load: () => load(text('priority 90')),
      logger: silentLogger,
      current: () => settings,
      apply: (next) => {
        settings = next;
        applied.push(trouble);
        return trouble === undefined ? Promise.resolve('done') : Promise.reject(new Error(trouble));
      },
    });
    expect(await reloader.reload()).toMatchObject({
      code: 'reload-failed',
      message: 'the reload failed: no space',
    });
    trouble = undefined;
    expect(await reloader.reload()).toEqual({ ok: true, result: { message: 'done' } });
    expect(await reloader.reload()).toMatchObject({
      result: { message: expect.stringContaining('nothing to do') as string },
    });
    expect(applied).toEqual(['no space', undefined]);
  });

  test('names what needs a restart', () => {
    const plan = planReload(current, load(text('priority 100', 'state_directory /x')));
    expect(plan).toMatchObject({
      refusal: { code: 'needs-restart', message: 'a reload cannot change: state_directory' },
    });
  });
});
