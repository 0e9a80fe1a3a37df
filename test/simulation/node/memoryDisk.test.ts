import { MemoryDisk } from './memoryDisk.js';

const textOf = (disk: ReturnType<MemoryDisk['portOf']>, path: string): string | undefined => {
  const file = disk.read(path, { bytes: 100 });
  return file.kind === 'text' ? file.text : undefined;
};

test('a loss of power takes /run and what was not written durably', async () => {
  const disk = new MemoryDisk();
  const port = disk.portOf('boot 1', (done) => done());
  port.replace('/run/role', 'MASTER', { durable: true });
  port.replace('/var/state', 'old', { durable: true });
  port.replace('/var/state', 'new');
  port.append('/var/history', 'line');
  await port.replaceLater('/var/later', 'kept', () => false);
  disk.losePower();
  const after = disk.portOf('boot 2', (done) => done());
  const names = ['/run/role', '/var/state', '/var/history', '/var/later'];
  expect(names.map((name) => textOf(after, name))).toEqual([undefined, 'old', undefined, 'kept']);
  expect([port.bootId(), after.bootId()]).toEqual(['boot 1', 'boot 2']);
});

test('a write on its way when the process dies never comes', () => {
  const disk = new MemoryDisk();
  void disk.portOf('boot', () => undefined).replaceLater('/var/state', 'lost', () => false);
  const port = disk.portOf('boot', (done) => done());
  expect(textOf(port, '/var/state')).toBeUndefined();
  expect([port.createOnce('/var/owner', 'a'), port.createOnce('/var/owner', 'b')]).toEqual([
    true,
    false,
  ]);
});
