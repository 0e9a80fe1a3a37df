/** docs/monitoring.md from the table of metrics. Pure. */
import { metricTable } from './metricTable.js';
import { lookAge } from './metrics.js';
import { roleCauses } from './roleCause.js';

const head = `# Monitoring

<!-- Written by npm run docs:monitoring from src/http/metricTable.ts. -->

A block \`http\` in the configuration serves what \`keepstate status\` knows. Nothing is served without it, and nothing that
is served changes anything.

    http {
      listen 127.0.0.1 9642
      listen 192.0.2.1 9642
      allow 127.0.0.0/8 192.0.2.0/24
    }

| Path | Answers |
|---|---|
| \`/\` | both nodes on one page: roles, flows, the last takeovers, problems with what to do; fresh each second, and without JavaScript |
| \`/metrics\` | the metrics below, for Prometheus (text 0.0.4, OpenMetrics where it is asked for) |
| \`/metrics/keepalived\` | the names of both exporters for keepalived, so that their dashboards go on (Grafana 18270, 23604) |
| \`/healthz\` | 200, or 503 with each problem of severity error; \`?role=master\` also asks for the role, for load balancers |
| \`/status.json\` | \`keepstate status --json\` |

Each answer is made when it is asked for. A daemon whose loop hangs answers 503 after two seconds, never an old figure. A
thread of its own serves: clients cost the thread that sends adverts one look at the node each 200 ms at most.
There is no password and no TLS: listen on an inner address, name the networks in \`allow\`, or put a proxy before the
UNIX socket (\`unix PATH\`).

\`config/monitoring/keepstate.rules.yml\` has alert rules for Prometheus, \`config/monitoring/grafana-keepstate.json\` a dashboard.
A scrape of both nodes, with the job name that the rules use:

    scrape_configs:
      - job_name: keepstate
        scrape_interval: 5s
        static_configs:
          - targets: ['192.0.2.1:9642', '192.0.2.2:9642']

For Nagios, Icinga, check_mk and Zabbix: \`keepstate status --nagios\` prints one line with performance data and exits with 0
(OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN).

A monitoring user needs no root: name its group in \`control_read_group\`, and it may ask for status, history, events and stats.

| System | Line |
|---|---|
| Nagios, Icinga (NRPE) | \`command[keepstate]=/usr/bin/keepstate status --nagios\` |
| check_mk (mrpe.cfg) | \`Keepstate /usr/bin/keepstate status --nagios\` |
| Zabbix (agent) | \`UserParameter=keepstate.status,/usr/bin/keepstate status --json\`, with dependent items such as \`$.role\` |

![the page of a MASTER](page.png)

## Metrics

A value that the node does not know is left out; it is never 0 instead.

| Name | Type | Labels | Meaning |
|---|---|---|---|
`;

const ofHistory = [
  [
    'keepstate_role_changes_total',
    'counter',
    'unit, kind, to, cause',
    `Role changes since the start. cause: ${roleCauses.join(', ')}.`,
  ],
  [
    'keepstate_takeover_duration_seconds',
    'histogram',
    '',
    'From the decision to take the role to all virtual addresses being up.',
  ],
  [
    'keepstate_commit_duration_seconds',
    'histogram',
    '',
    'Commit of the external cache to the kernel at a takeover.',
  ],
] as const;

export function monitoringPage(): string {
  const rows = [
    ...[lookAge, ...metricTable].map(({ name, type, labels, help }) => [
      name,
      type,
      labels.join(', '),
      help,
    ]),
    ...ofHistory,
  ];
  const lines = rows.map(
    ([name, type, labels, help]) => `| \`${name}\` | ${type} | ${labels} | ${help} |`,
  );
  return `${head}${lines.join('\n')}\n`;
}
