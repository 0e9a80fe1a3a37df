/** `keepstate doctor`. */
import type { Command } from 'commander';
import { defaultConfig } from './defaultConfig.js';
import { loadNode } from '../config/loadNode.js';
import { formatProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { examine, type Finding } from './doctor/examine.js';
import { gatherFacts } from './doctor/facts.js';
import { print } from './talk.js';
import { lookOf, paint, wrap, type Look } from './terminal.js';

interface DoctorOptions {
  readonly config: string;
  readonly json?: true;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what would break a takeover on this machine, each with its remedy')
    .option('-f, --config <file>', 'configuration', defaultConfig)
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nExit code: 0 nothing found, 1 something would break a takeover, 2 unreadable configuration.',
    )
    .action((options: DoctorOptions) => doctor(options));
}

function doctor({ config, json }: DoctorOptions): void {
  const { settings, problems } = loadNode(config, systemLoadPorts());
  if (settings === undefined) {
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
    process.exitCode = 2;
    return;
  }
  const findings = examine(settings, gatherFacts(settings));
  process.exitCode = findings.some((finding) => finding.severity === 'error') ? 1 : 0;
  if (json === true) print(JSON.stringify(findings, undefined, 2));
  else print(findingsText(findings, lookOf(process.stdout, process.env)));
}

export function findingsText(findings: readonly Finding[], look: Look): string {
  if (findings.length === 0)
    return paint('nothing was found that would break a takeover', 'good', look);
  return findings
    .map(({ severity, text, remedy }) => {
      const label = paint(severity.padEnd(7), severity === 'error' ? 'bad' : 'warning', look);
      return (
        `${label} ${wrap(text, look.columns - 8, 8)}\n` +
        `        remedy: ${wrap(remedy, look.columns - 16, 16)}`
      );
    })
    .join('\n');
}
