// One node in full, and what can be done with it.

import { call } from './api.js';
import { h, show } from './dom.js';
import { count, duration, gtids } from './format.js';
import { confirm, openDialog } from './dialogs.js';
import { change, draw, state } from './state.js';
import { openOrder } from './orders.js';

let open = null; // { name, dialog } of the node that is shown

// wish changes how a node is used, and shows the node as it then is.
const wish = (name, wanted) => call('PATCH', `v1/nodes/${encodeURIComponent(name)}`, { body: wanted }).then((node) => {
  change({ nodes: state.nodes.map((one) => (one.name === name ? node : one)) });
});

export function openNode(name) {
  const content = h('div', {});
  open = { name, content, dialog: openDialog(name, content, [], { onClose: () => { open = null; }, wide: true }) };
  showNode(state);
}

draw(['nodes', 'link'], showNode);

function showNode({ nodes, link }) {
  if (!open) return;
  const node = nodes?.find(({ name }) => name === open.name);
  if (!node) return show(open.content, h('p', {}, `${open.name} is no longer one of the nodes.`));
  show(open.content,
    node.problem && h('p', { class: 'warning' }, node.problem),
    node.touched && h('p', { class: 'warning' }, `Touched by hand: ${node.touched}. It serves no reads and is never made master until a verification finds it equal, or it is copied again.`),
    h('dl', { class: 'pairs' }, facts(node).map(([title, value]) => h('div', {}, h('dt', {}, title), h('dd', {}, value)))),
    node.applied && h('details', {}, h('summary', {}, `Applied: ${gtids(node.applied).slice(0, 60)}`), h('pre', {}, node.applied.replaceAll(',', ',\n'))),
    h('div', { class: 'orders' }, actions(node).map(([label, act, danger]) =>
      h('button', { type: 'button', class: danger && 'danger', disabled: link.state === 'lost', onclick: act }, label))));
}

function facts(node) {
  const { busy, idle } = node.connections ?? {};
  return [
    ['Address', node.address], ['Server', node.version], ['Identity', node.identity || '–'],
    ['Role', `${node.is_master ? 'master' : node.role}, since generation ${count(node.epoch)}`],
    ['Health', node.health], ['Replication', node.is_master ? '–' : node.replication],
    ['Lag', node.is_master ? '–' : duration(node.lag_seconds)], ['Read-only', node.read_only ? 'yes' : 'no'],
    ['Serves reads', node.serves_reads ? 'yes' : 'no'], ['Weight', count(node.weight)],
    ['Connections', `${count(busy)} busy, ${count(idle)} idle`], ['Outstanding', count(node.outstanding)],
    ['REST address', node.rest || '–'],
  ];
}

function actions(node) {
  const { name } = node;
  const all = [[node.drain ? 'Undrain…' : 'Drain…', () => openDrain(node)], [node.maintenance ? 'End maintenance…' : 'Maintenance…', () => openMaintenance(node)], ['Weight…', () => openWeight(node)]];
  if (node.is_master) return [['Switch over to another…', () => openOrder('switchover')], ...all];
  return [
    ['Make it the master…', () => openOrder('switchover', { to: name })], ...all,
    ['Verify…', () => openOrder('verify', { node: name })], ['Copy it again…', () => openOrder('sync', { node: name }), true],
  ];
}

function openDrain({ name, drain, is_master: master }) {
  confirm({
    title: drain ? `Undrain ${name}` : `Drain ${name}`,
    says: drain ? `${name} serves reads again, as soon as it has caught up.`
      : [`${name} is given no more reads; those that run there end by themselves. It goes on replicating and can still become the master. This outlives a restart of Bellwether.`,
        master && `${name} is the master now: this counts once it is a slave.`].filter(Boolean),
    verb: drain ? `Give ${name} reads again` : `Take reads from ${name}`,
    act: () => wish(name, { drain: !drain }),
  });
}

function openMaintenance({ name, maintenance, is_master: master }) {
  confirm({
    title: maintenance ? `End maintenance of ${name}` : `Maintenance of ${name}`,
    says: maintenance ? `${name} is repaired, read from and considered as a master again.`
      : [`${name} is left alone: no reads, no repairs of its replication, and it never becomes the master. This outlives a restart of Bellwether.`,
        master && `${name} is the master now: there is no failover from it by itself while it is in maintenance.`].filter(Boolean),
    verb: maintenance ? `End maintenance of ${name}` : `Put ${name} into maintenance`,
    act: () => wish(name, { maintenance: !maintenance }),
  });
}

function openWeight({ name, weight }) {
  const input = h('input', { id: 'weight', type: 'number', min: '0', max: '1000', value: String(weight), inputmode: 'numeric' });
  confirm({
    title: `Weight of ${name}`,
    says: [`Its share of the reads, beside the weights of the other slaves; 0 takes none. It is written to the configuration file. Now: ${weight}.`, h('label', { class: 'field' }, 'Weight', input)],
    verb: `Set the weight of ${name}`,
    act: () => wish(name, { weight: Number(input.value) }),
  });
}
