// Three small charts in SVG. Each says in words what it shows, so that nobody needs to see it.

import { shape } from '/shared/shape.js';

const number = new Intl.NumberFormat();

/** A whole number for people; a dash for none. */
export function count(value) {
  return Number.isFinite(value) ? number.format(value) : '–';
}

/** A line through values over time: `points` are `{at, value}`, oldest first. */
export function spark(points, label) {
  const [wide, high] = [160, 36];
  const values = points.map((point) => point.value);
  const [low, top] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [points[0].at, points[points.length - 1].at];
  const x = (at) => (to === from ? wide : ((at - from) / (to - from)) * wide);
  const y = (value) => (top === low ? high / 2 : high - 4 - ((value - low) / (top - low)) * (high - 8));
  const at = points.map((point) => `${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`);
  if (at.length === 1) at.unshift(`0 ${y(values[0]).toFixed(1)}`);
  return shape('svg', { class: 'spark', viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    shape('path', { class: 'under', d: `M0 ${high}L${at.join('L')}L${wide} ${high}z` }),
    shape('path', { class: 'line', d: `M${at.join('L')}` }),
    // A line of no length with round ends is a dot that no stretching makes oval.
    shape('path', { class: 'end', d: `M${at[at.length - 1]}h0.01` }));
}

/** One bar for each row: `rows` are `{name, value, kind}`. */
export function bars(rows, label) {
  const high = 46;
  const most = Math.max(...rows.map((row) => row.value), 1);
  const chart = shape('svg', { class: 'chart', role: 'img', 'aria-label': label, width: '100%', height: rows.length * high });
  rows.forEach((row, at) => {
    const top = at * high;
    chart.append(
      shape('text', { x: 0, y: top + 15 }, row.name),
      shape('text', { x: '100%', y: top + 15, 'text-anchor': 'end' }, count(row.value)),
      shape('rect', { class: 'track', x: 0, y: top + 23, width: '100%', height: 12, rx: 6 }),
    );
    if (row.value > 0) {
      const width = Math.max((row.value / most) * 100, 1.5).toFixed(2);
      chart.append(shape('rect', { class: `bar-${row.kind}`, x: 0, y: top + 23, width: `${width}%`, height: 12, rx: 6 }));
    }
  });
  return chart;
}

/** One bar in parts: `parts` are `{name, value, kind}`. */
export function split(parts, label) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const chart = shape('svg', { class: 'chart', role: 'img', 'aria-label': label, width: '100%', height: 22 },
    shape('rect', { class: 'track', width: '100%', height: 22, rx: 6 }));
  let from = 0;
  for (const part of parts) {
    if (part.value === 0) continue;
    const width = (part.value / total) * 100;
    chart.append(shape('rect', { class: `bar-${part.kind}`, x: `${from.toFixed(2)}%`, width: `${width.toFixed(2)}%`, height: 22, rx: from === 0 || from + width > 99.9 ? 6 : 0 }));
    from += width;
  }
  return chart;
}
