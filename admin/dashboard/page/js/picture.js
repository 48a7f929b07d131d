// The cluster as a picture: the master above, Bellwether in the middle, the
// slaves below, and lines for what flows between them.

import { byId, h, show } from './dom.js';
import { count, duration, gtids, plural } from './format.js';
import { drawLines } from './lines.js';
import { openNode } from './node.js';

// condition is how a node is, in a word that the style sheet colours. Pure.
export function condition(node) {
  if (node.health !== 'up') return node.health === 'down' ? 'bad' : 'unknown';
  if (node.fenced || node.problem) return 'warn';
  if (node.is_master) return 'good';
  if (node.drain || node.maintenance || node.touched || !node.serves_reads) return 'warn';
  return 'good';
}

// marks are what a person has set on a node, or must know of it. Pure.
export function marks(node) {
  return [
    node.maintenance && 'maintenance',
    node.drain && 'drained',
    node.touched && 'touched by hand',
    node.fenced && 'fenced',
    node.weight === 0 && 'weight 0',
  ].filter(Boolean);
}

function lagOf(node) {
  if (node.health !== 'up') return node.health === 'down' ? 'down' : 'not seen yet';
  if (node.is_master) return node.read_only ? 'read-only' : 'writable';
  if (node.replication !== 'running') return `replication ${node.replication}`;
  return node.lag_seconds === null ? 'lag not known' : `${duration(node.lag_seconds)} behind`;
}

function card(node) {
  const role = node.is_master ? 'master' : node.role === 'slave' ? 'slave' : 'role unknown';
  const connections = node.connections ?? {};
  return h('button', {
    type: 'button', class: 'node', 'data-key': node.name, 'data-node': node.name, 'data-role': role,
    'data-condition': condition(node), title: node.problem || null,
    'aria-label': `${node.name}, ${role}, ${lagOf(node)}${marks(node).map((mark) => ', ' + mark).join('')}. Open for details and operations.`,
    onclick: () => openNode(node.name),
  },
    h('span', { class: 'row' }, h('span', { class: 'dot' }), h('span', { class: 'name' }, node.name), h('span', { class: 'role' }, role)),
    h('span', { class: 'row detail' }, h('span', { class: 'address' }, node.address), h('span', {}, lagOf(node))),
    h('span', { class: 'row detail' },
      h('span', {}, `${count(connections.busy)} busy, ${count(connections.idle)} idle`), h('span', {}, node.version.split('-', 1)[0])),
    (node.problem || marks(node).length > 0) && h('span', { class: 'row marks' },
      marks(node).map((mark) => h('span', { class: 'chip' }, mark)),
      node.problem && h('span', { class: 'why' }, node.problem)));
}

function hub(cluster) {
  const { position, writes, feed, clients, held_statements: held } = cluster;
  return h('div', { class: 'hub', 'data-writes': writes, 'data-key': 'hub' },
    h('div', {},
      h('strong', {}, 'Bellwether'),
      h('span', {}, `${plural(clients ?? 0, 'client')}, writes ${writes}${held ? `, ${held} held` : ''}`)),
    feed === 'relay'
      ? h('div', { class: 'log' }, h('strong', {}, 'Stored log'), h('span', { class: 'position', title: position }, gtids(position) || 'empty'))
      : h('div', { class: 'log' }, h('strong', {}, 'Feed: direct'), h('span', {}, 'slaves follow the master')));
}

const absent = () => h('div', { class: 'node absent', 'data-key': ' absent' }, h('span', { class: 'row' }, 'No master'));

export function showPicture({ cluster, nodes, traffic }) {
  const stage = byId('picture');
  const boxes = byId('boxes');
  if (!cluster || !nodes) return show(boxes, h('p', { class: 'quiet' }, 'Waiting for the nodes.'));
  const master = nodes.find(({ is_master: is }) => is);
  const others = nodes.filter((node) => node !== master);
  stage.dataset.feed = cluster.feed;
  show(boxes,
    h('div', { class: 'top', 'data-key': ' top' }, master ? card(master) : absent()),
    hub(cluster),
    h('div', { class: 'slaves', 'data-key': ' slaves' }, others.map(card)));
  legend(cluster.feed);
  lines = () => drawLines(stage, { master, others, feed: cluster.feed, point: traffic.at(-1) });
  lines();
}

function legend(feed) {
  show(byId('legend'),
    h('span', { class: 'key writes' }, 'writes'), h('span', { class: 'key reads' }, 'reads'),
    h('span', { class: 'key stream' }, feed === 'relay' ? 'binary log, stored and passed on' : 'binary log'));
}

// The lines follow the boxes when the window changes.
let lines = () => {};
new ResizeObserver(() => lines()).observe(byId('boxes'));
