/**
 * The last takeovers, each as a line of time: the other's silence until the decision, the commit,
 * the addresses, which are announced as they come up; and what a merge after a split took. Pure.
 */
import type { HistoryEntry } from '../control/statusAnswer.js';
import { html, type Markup } from './markup.js';

const shown = 5;
const width = 360;
const height = 16;
/** Of a stage that took next to nothing. */
const leastWidth = 2;

interface Stage {
  readonly className: 'silence' | 'commit' | 'addresses' | 'merge';
  readonly text: string;
  readonly milliseconds: number;
}

/** Those of which durations are known, the last first. */
export function takeovers(history: readonly HistoryEntry[]): Markup {
  const known = history.filter(({ to }) => to === 'MASTER');
  const last = known.filter((entry) => stagesOf(entry).length > 0).slice(-shown);
  if (last.length === 0) return html``;
  return html`<section aria-labelledby="takeovers">
    <h2 id="takeovers">Last takeovers</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Unit</th>
            <th scope="col">Why</th>
            <th scope="col">Flows</th>
            <th scope="col">What took how long</th>
          </tr>
        </thead>
        <tbody>
          ${last.reverse().map((entry) => row(entry))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function row(entry: HistoryEntry): Markup {
  const stages = stagesOf(entry);
  return html`<tr>
    <td><time datetime="${entry.at}">${entry.at.slice(0, 19).replace('T', ' ')}</time></td>
    <td>${entry.name}</td>
    <td>${entry.because}</td>
    <td>${entry.flowsCommitted ?? entry.flowsMerged ?? 0}${failedText(entry)}</td>
    <td>${bar(stages)} ${stages.map(({ text }) => text).join(', ')}</td>
  </tr> `;
}

/** In the order in which they happen. */
function stagesOf({ silenceMs, commitMs, takeoverMs, mergeMs }: HistoryEntry): readonly Stage[] {
  const stages: Stage[] = [];
  const add = (className: Stage['className'], text: string, milliseconds: number): void => {
    stages.push({ className, text, milliseconds });
  };
  if (silenceMs !== undefined) add('silence', `${rounded(silenceMs)} of silence`, silenceMs);
  // A commit that took longer than the takeover was made in advance.
  const isAdvance = (commitMs ?? 0) > (takeoverMs ?? Infinity);
  const commit = isAdvance ? 0 : (commitMs ?? 0);
  if (commitMs !== undefined) {
    add('commit', `commit ${rounded(commitMs)}${isAdvance ? ' in advance' : ''}`, commit);
  }
  if (takeoverMs !== undefined) {
    const text = `addresses up and announced ${rounded(takeoverMs)} after the decision`;
    add('addresses', text, Math.max(0, takeoverMs - commit));
  }
  if (mergeMs !== undefined) add('merge', `merged within ${rounded(mergeMs)}`, mergeMs);
  return stages;
}

/** The words beside it say the same. */
function bar(stages: readonly Stage[]): Markup {
  const total = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const room = width - leastWidth * stages.length;
  let at = 0;
  const parts = stages.map(({ className, milliseconds }) => {
    const length = leastWidth + (total === 0 ? 0 : (milliseconds * room) / total);
    const x = at;
    at += length;
    return html`<rect
      class="${className}"
      x="${x.toFixed(1)}"
      y="0"
      width="${length.toFixed(1)}"
      height="${height}"
    />`;
  });
  return html`<svg
    class="stages"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    ${parts}
  </svg>`;
}

function failedText({ flowsFailed = 0 }: HistoryEntry): string {
  return flowsFailed === 0 ? '' : `, ${flowsFailed} failed`;
}

function rounded(ms: number): string {
  return ms < 1 ? 'less than 1 ms' : `${Math.round(ms)} ms`;
}
