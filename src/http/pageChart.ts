/** A line of numbers as a small picture, with its last and highest value in words. Pure. */
import { html, type Markup } from './markup.js';

const width = 360;
const height = 60;

/** `values`: oldest first, at least two. */
export function chart(title: string, values: readonly number[]): Markup {
  const most = Math.max(1, ...values);
  const points = values
    .map((value, i) => {
      const x = (i * width) / Math.max(1, values.length - 1);
      const y = height - (value * height) / most;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
  const now = Math.round(values.at(-1) ?? 0);
  const text = `${title}: now ${now}, at most ${Math.round(most)}`;
  return html`<figure>
    <figcaption>${text}</figcaption>
    <svg
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${text}"
    >
      <polyline points="${points}" />
    </svg>
  </figure>`;
}
