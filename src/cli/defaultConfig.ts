/** Where the configuration stands unless a command is told otherwise. */
export const defaultConfig = '/etc/keepstate/keepstate.conf';
