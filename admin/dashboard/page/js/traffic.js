// Two charts on one axis of time: how many statements go where, and how long
// they take.

import { byId, h, show } from './dom.js';
import { clock, count } from './format.js';
import { colour, onTheme } from './themes.js';
import { state } from './state.js';

const split = [
  { key: 'reads_slaves', label: 'reads on slaves', colour: '--reads' },
  { key: 'reads_master', label: 'reads on the master', colour: '--reads-master' },
  { key: 'writes', label: 'writes', colour: '--writes' },
  { key: 'errors', label: 'errors', colour: '--bad', over: true }, // on top of it all, in no sum
];
const latency = [
  { key: 'p50_ms', label: 'half are below', colour: '--p50' },
  { key: 'p95_ms', label: '95 %', colour: '--p95' },
  { key: 'p99_ms', label: '99 %', colour: '--p99' },
];

// stacked is the data of a chart in which the series stand on one another: each
// is the sum of those up to it. A value that is not known is null, and no error
// is nothing to draw. Pure.
export function stacked(points, series) {
  const sums = new Array(points.length).fill(0);
  return series.map(({ key, over }) => points.map((point, i) => {
    const value = point[key] ?? null;
    if (over) return value || null;
    if (value === null) return null;
    sums[i] += value;
    return sums[i];
  }));
}

// times are the seconds since 1970 of points.
const times = (points) => points.map(({ at }) => new Date(at) / 1000);

const charts = [];

function chart(id, series, isStacked) {
  const holder = byId(id);
  const legend = byId(id + '-legend');
  let plot = null;
  // Drawn last to first, so that a lower one covers those that it is part of.
  const order = isStacked ? [...series.filter(({ over }) => !over).reverse(), ...series.filter(({ over }) => over)] : series;

  const data = (points) => {
    const rows = isStacked ? stacked(points, series) : series.map(({ key }) => points.map((point) => point[key] ?? null));
    return [times(points), ...order.map((one) => rows[series.indexOf(one)])];
  };

  const tell = (at) => {
    const point = state.traffic[at ?? state.traffic.length - 1];
    show(legend, at !== null && at !== undefined && point && h('span', { class: 'when' }, clock(point.at)),
      series.map(({ key, label, colour: name }) => h('span', { class: 'key', 'data-colour': name.slice(2), 'data-key': key },
        label, ' ', h('b', {}, point ? count(point[key]) : '–'))));
  };

  const build = () => {
    plot?.destroy();
    const [text, grid] = [colour('--quiet'), colour('--line')];
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    plot = new window.uPlot({
      width: holder.clientWidth, height: 132, padding: [6, 14, 0, 0], legend: { show: false },
      cursor: { sync: { key: 'time' }, points: { size: 5 }, drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
      axes: [
        { ...axis, size: 22, space: 60, values: (_, ticks, __, ___, step) => ticks.map((at) => clock(at * 1000).slice(-8, step < 60 ? undefined : -3)) },
        { ...axis, size: 44, space: 28, values: (_, ticks) => ticks.map(count) },
      ],
      series: [{}, ...order.map(({ colour: name, over }) => ({
        stroke: colour(name), width: 1.25, points: { show: false },
        fill: isStacked && !over ? colour(name, 45) : undefined,
      }))],
      hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
    }, data(state.traffic), holder);
  };

  new ResizeObserver(() => {
    if (plot && holder.clientWidth) plot.setSize({ width: holder.clientWidth, height: 132 });
  }).observe(holder);
  onTheme(build);
  return {
    show(points) {
      if (!plot) build();
      else plot.setData(data(points));
      if (plot.cursor.idx === null || plot.cursor.idx === undefined || plot.cursor.left < 0) tell();
      const last = points.at(-1);
      holder.setAttribute('role', 'img');
      if (last) holder.setAttribute('aria-label', series.map(({ key, label }) => `${label} ${count(last[key])}`).join(', '));
    },
  };
}

export function showTraffic({ traffic }) {
  if (!charts.length) charts.push(chart('traffic', split, true), chart('latency', latency, false));
  if (traffic.length) charts.forEach((one) => one.show(traffic));
}
