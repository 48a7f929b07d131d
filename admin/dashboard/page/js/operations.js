// Operations that run or ran.

import { byId, h, show } from './dom.js';
import { headline, operationView } from './operation.js';
import { kinds, openOrder } from './orders.js';

export function showOrders({ link }) {
  show(byId('orders'), Object.entries(kinds).map(([kind, { title }]) =>
    h('button', { type: 'button', 'data-key': kind, disabled: link.state === 'lost', onclick: () => openOrder(kind) }, `${title}…`)));
}

export function showOperations({ operations, now }) {
  const latest = (operations ?? []).slice(-8).reverse();
  show(byId('operations'), latest.length
    ? latest.map((operation) => h('details', { class: 'operation', 'data-key': operation.id + operation.state, open: operation.state === 'running' },
      h('summary', {}, headline(operation, now)), operationView(operation, now, false)))
    : h('p', { class: 'quiet' }, 'None yet. Each shows what it would do before it does anything.'));
}
