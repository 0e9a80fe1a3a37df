/**
 * What the page loads: its style and the few lines that keep it fresh. No resource from elsewhere.
 */

export const pageStyle = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1a1a1a; --quiet: #555555; --line: #d0d0d0; --card: #f6f6f6;
  --good: #0b6b2e; --wait: #1d4f91; --bad: #a11212; --warn: #7a4d00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111315; --text: #e8e8e8; --quiet: #b0b0b0; --line: #3a3d40; --card: #1b1e21;
    --good: #5fd38a; --wait: #8ab8f5; --bad: #ff8a80; --warn: #ffc46b;
  }
}
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
.taken, footer { color: var(--quiet); margin: 0 0 1rem; }
.nodes { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); margin: 0 0 1rem; }
.node, .charts, section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; }
.node { margin: 0; }
p.role { font-size: 1.4rem; font-weight: 700; margin: 0 0 .5rem; }
.MASTER { color: var(--good); } .BACKUP { color: var(--wait); } .FAULT { color: var(--bad); } .INIT, .unknown { color: var(--warn); }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .75rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.problems { margin: 0; padding-left: 1.2rem; } .error strong { color: var(--bad); } .warning strong { color: var(--warn); }
figure { margin: 0 0 .75rem; } figcaption { color: var(--quiet); }
svg { width: 100%; height: 4rem; } polyline { fill: none; stroke: var(--wait); stroke-width: 2; vector-effect: non-scaling-stroke; }
.stages { display: block; height: 1rem; } .silence { fill: var(--line); } .commit { fill: var(--wait); } .addresses { fill: var(--good); } .merge { fill: var(--warn); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
.lost { outline: 3px solid var(--bad); }
`;

/** The server escapes what it sends; an older view is marked where no newer one comes. */
export const pageScript = `'use strict';
const events = new EventSource('/view');
let late;
function watch() {
  clearTimeout(late);
  late = setTimeout(() => document.body.classList.add('lost'), 5000);
}
events.addEventListener('view', (event) => {
  const next = new DOMParser().parseFromString(event.data, 'text/html').getElementById('view');
  const now = document.getElementById('view');
  if (next && now) now.replaceWith(next);
  const title = next && next.querySelector('h1');
  if (title) document.title = title.textContent + ' - keepstate';
  document.body.classList.remove('lost');
  watch();
});
watch();
`;
