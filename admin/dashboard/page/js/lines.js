// The lines of the picture, drawn between boxes that the style sheet has placed.

import { h, show } from './dom.js';
import { count } from './format.js';

const boxOf = (element, origin) => {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { left: left - origin.left, top: top - origin.top, right: left - origin.left + width, bottom: top - origin.top + height, width, height };
};

// routes are the lines of a picture, from the boxes of its parts. Pure.
export function routes({ top, hub, slaves, feed, width }) {
  const lines = [];
  if (top) {
    const left = top.left + top.width * 0.18;
    const right = top.left + top.width * 0.82;
    lines.push({ kind: 'writes', node: top.node, points: [[left, hub.top], [left, top.bottom]], label: true });
    if (feed === 'relay') lines.push({ kind: 'stream', node: top.node, points: [[right, top.bottom], [right, hub.top]] });
  }
  const firstRow = Math.min(...slaves.map((box) => box.top));
  for (const box of slaves) {
    const direct = box.top < firstRow + 4;
    const reads = box.left + box.width * 0.18;
    const stream = box.left + box.width * 0.82;
    const from = feed === 'relay' ? hub.bottom : null;
    lines.push({ kind: 'reads', node: box.node, label: box === slaves[0], points: direct ? [[reads, hub.bottom], [reads, box.top]] : aside(box, hub.bottom, -8, 0.35) });
    if (from !== null) lines.push({ kind: 'stream', node: box.node, points: direct ? [[stream, from], [stream, box.top]] : aside(box, from, -15, 0.65) });
    else if (top) lines.push({ kind: 'stream', node: box.node, points: around(top, hub, box, stream, direct, width) });
  }
  return lines;
}

// aside goes down beside the boxes above and into the box from the left.
const aside = (box, from, gap, part) => {
  const y = box.top + box.height * part;
  return [[box.left + gap, from], [box.left + gap, y], [box.left, y]];
};

// around goes from the master past Bellwether to a slave that follows it.
const around = (top, hub, box, x, direct, width) => {
  const edge = width - 5;
  const y = top.top + top.height / 2;
  const bus = hub.bottom + 14;
  const way = [[top.right, y], [edge, y], [edge, bus]];
  return direct ? [...way, [x, bus], [x, box.top]] : [...way, [box.left - 15, bus], ...aside(box, bus, -15, 0.65).slice(1)];
};

// path joins points by straight lines with round corners. Pure.
export function path(points, radius = 7) {
  const towards = ([x, y], [tx, ty], most) => {
    const length = Math.hypot(tx - x, ty - y);
    const step = Math.min(most, length / 2);
    return length ? [x + (tx - x) / length * step, y + (ty - y) / length * step] : [x, y];
  };
  return points.map((point, i) => {
    if (i === 0) return `M${point}`;
    if (i === points.length - 1) return `L${point}`;
    return `L${towards(point, points[i - 1], radius)}Q${point} ${towards(point, points[i + 1], radius)}`;
  }).join('');
}

// flowing says whether anything moves on a line.
function flowing({ kind, node }, point) {
  if (node.health !== 'up') return false;
  if (kind === 'reads') return node.serves_reads && (!point || point.reads_slaves > 0);
  if (kind === 'writes') return !node.read_only && !node.fenced;
  return node.is_master || node.replication === 'running';
}

const possible = ({ kind, node }) => kind !== 'reads' || node.serves_reads;

// said is what stands beside a line.
function said(line, point, readers) {
  if (!line.label || !point) return '';
  if (line.kind === 'writes') return `${count(point.writes)} writes/s, ${count(point.reads_master)} reads/s`;
  return `${count(point.reads_slaves)} reads/s${readers > 1 ? ` on ${readers} slaves` : ''}`;
}

// drawLines measures the boxes and draws the lines between them.
export function drawLines(stage, { master, others, feed, point }) {
  const origin = stage.getBoundingClientRect();
  if (!origin.width) return;
  const find = (node) => ({ ...boxOf(stage.querySelector(`[data-node="${CSS.escape(node.name)}"]`), origin), node });
  const lines = routes({
    top: master && find(master), slaves: others.map(find), hub: boxOf(stage.querySelector('.hub'), origin), feed, width: origin.width,
  }).filter(possible);
  const readers = lines.filter(({ kind }) => kind === 'reads').length;
  const svg = stage.querySelector('svg.lines');
  svg.setAttribute('viewBox', `0 0 ${origin.width} ${origin.height}`);
  show(svg, heads(), lines.map((line) => h('path', {
    class: `line ${line.kind}`, d: path(line.points), 'data-flows': flowing(line, point), 'marker-end': `url(#head-${flowing(line, point) ? line.kind : 'still'})`,
  })), lines.map((line) => {
    const [[x, y], [, end]] = line.points;
    const text = said(line, point, readers);
    return text && h('text', { x: x + 9, y: line.kind === 'reads' ? end - 12 : (y + end) / 2 + 4, class: 'rate' }, text);
  }));
}

const heads = () => h('defs', {}, ['writes', 'reads', 'stream', 'still'].map((kind) =>
  h('marker', { id: `head-${kind}`, class: `head ${kind}`, viewBox: '0 0 8 8', refX: '7', refY: '4', markerWidth: '8', markerHeight: '8', markerUnits: 'userSpaceOnUse', orient: 'auto' },
    h('path', { d: 'M0 0L8 4L0 8z' }))));
