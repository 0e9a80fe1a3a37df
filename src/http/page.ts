/**
 * `/`: both nodes on one page. Rendered here, so that it reads without JavaScript too; page.js puts
 * a newer `main` in its place each second. Pure.
 */
import { printableValue } from '../base/printable.js';
import type { Problem, StatusAnswer } from '../control/statusAnswer.js';
import type { NodeView } from './httpMessages.js';
import { html, type Markup } from './markup.js';
import { nodeCards } from './pageNodes.js';
import { chart } from './pageChart.js';
import { takeovers } from './pageTakeovers.js';
import type { HourSample } from './samples.js';

/** The whole page. `now`: milliseconds since 1970. */
export function page(view: NodeView, samples: readonly HourSample[], now: number): string {
  const { node } = printableValue(view.status);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${node} is ${view.status.role} - keepstate</title>
        <link rel="stylesheet" href="/page.css" />
        <script src="/page.js" defer></script>
      </head>
      <body>
        ${content(view, samples, now)}
      </body>
    </html> `.text;
}

/** What changes. */
export function content(view: NodeView, samples: readonly HourSample[], now: number): Markup {
  const { status, history } = printableValue(view);
  return html`<main id="view" data-role="${status.role}">
    <h1>${status.node} is <strong class="role ${status.role}">${status.role}</strong></h1>
    <p class="taken">
      as of <time datetime="${new Date(now).toISOString()}">${clock(now)}</time>, ${verdict(status)}
    </p>
    ${problems(status.problems)} ${nodeCards(status, now)} ${charts(samples)} ${takeovers(history)}
    <footer>keepstate ${status.version}</footer>
  </main>`;
}

function verdict({ problems: known }: StatusAnswer): string {
  if (known.length === 0) return 'no problem is known';
  return known.length === 1 ? 'one problem' : `${known.length} problems`;
}

function problems(known: readonly Problem[]): Markup {
  if (known.length === 0) return html``;
  return html`<section aria-labelledby="problems">
    <h2 id="problems">Problems</h2>
    <ul class="problems">
      ${known.map(
        ({ severity, code, text, remedy }) =>
          html`<li class="${severity}">
            <strong>${severity}: ${text}</strong> <code>${code}</code><br />${remedy}
          </li> `,
      )}
    </ul>
  </section>`;
}

function charts(samples: readonly HourSample[]): Markup {
  if (samples.length < 2) return html``;
  const events = samples.map(({ eventsPerSecond }) => eventsPerSecond ?? 0);
  return html`<section class="charts" aria-labelledby="hour">
    <h2 id="hour">The last hour</h2>
    ${chart(
      'Flows',
      samples.map(({ flows }) => flows),
    )}
    ${chart('Events per second', events)}
  </section>`;
}

function clock(now: number): string {
  return `${new Date(now).toISOString().slice(11, 19)} UTC`;
}
