/**
 * `keepalived -t` is the judge of each form of a value: what it takes in silence must not be
 * refused here.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadNode } from '../../src/config/loadNode.js';
import { systemLoadPorts } from '../../src/config/systemPorts.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { formText, valueForms, type ValueForm } from './valueForms.js';

/**
 * KEEPALIVED_EXIT_CONFIG_TEST, and the same where only script security is complained about (2.2.7).
 */
const silent = [0, 6];

describe('forms of values beside keepalived 2.2.7', () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host('forms');
    await host.ip(
      'link add lan type veth peer name lan2',
      'link add wan type veth peer name wan2',
      'addr add 10.0.0.1/24 dev lan',
      ...['lan', 'lan2', 'wan', 'wan2'].map((name) => `link set ${name} up`),
    );
  });

  afterAll(() => lab.close());

  const written = (form: ValueForm, index: number): string => {
    const directory = join(host.directory, `form${index}`);
    mkdirSync(directory);
    for (const [name, text] of Object.entries(form.files ?? {})) {
      writeFileSync(join(directory, name), text);
    }
    const path = join(directory, 'node.conf');
    writeFileSync(path, formText(form, directory));
    return path;
  };

  test.each(valueForms.map((form, i) => [form.name, form, i] as const))(
    '%s',
    async (_name, form, i) => {
      const path = written(form, i);
      const { exitCode, stderr } = await host.tryExec(['keepalived', '-t', '-f', path]);
      expect({ isSilent: silent.includes(exitCode), stderr }).toMatchObject({
        isSilent: form.isAccepted,
      });
      const { problems } = loadNode(path, systemLoadPorts());
      const complaints = problems.filter(({ code }) => code !== 'missing-interface');
      const errors = complaints.filter(({ severity }) => severity === 'error');
      if (form.isAccepted) expect(errors).toEqual([]);
      else expect(complaints).not.toEqual([]);
    },
  );
});
