/** Where the daemon of a configuration listens: commands find it as the daemon does. */
import { loadNode } from '../config/loadNode.js';
import { defaultControlPath } from '../config/nodeSettings.js';
import { systemLoadPorts } from '../config/systemPorts.js';

/**
 * `control_socket` of the file. The default path where the file cannot be read, has errors or says
 * nothing: then the daemon, if there is one, tells more than the file.
 */
export function configuredControlPath(config: string): string {
  const ports = systemLoadPorts({ machine: false });
  const file = ports.files.read(config);
  // Whoever includes other files may have it in one of them; else nothing has to be understood.
  if (file.kind !== 'text' || !/control_socket|include|\$/.test(file.text))
    return defaultControlPath;
  return loadNode(config, ports).settings?.keepstate.controlPath ?? defaultControlPath;
}
