// Orders that change or read the cluster as a whole: planned first, then
// confirmed by what they will do, then watched.

import { post } from './api.js';
import { h, show } from './dom.js';
import { openDialog, problem } from './dialogs.js';
import { change, draw, merged, state } from './state.js';
import { operationView } from './operation.js';

// kinds says of each order what it is, what it asks for, and what its button
// says once it is known what it will do.
export const kinds = {
  switchover: {
    title: 'Switch over', says: 'Another node becomes the master. Writes wait for a moment, and none is lost.',
    fields: ['to', 'reason'], verb: ({ to }) => (to ? `Make ${to} the master` : 'Make the best slave the master'),
  },
  failover: {
    title: 'Fail over', says: 'For a master that does not answer: the best slave takes its place, with everything that was acknowledged.',
    fields: ['to', 'reason', 'force'], danger: true, verb: ({ to }) => (to ? `Fail over to ${to}` : 'Fail over to the best slave'),
  },
  verify: {
    title: 'Verify', says: 'Every row of the slaves is held against the master, while both work.',
    fields: ['node'], verb: ({ node }) => (node ? `Verify ${node}` : 'Verify every slave'),
  },
  sync: {
    title: 'Copy again', says: 'A slave becomes a full copy of the master. All that it has is replaced, and it serves nothing until then.',
    fields: ['node'], danger: true, verb: ({ node }) => (node ? `Replace all that ${node} has` : 'Replace all that the slaves have'),
  },
  reload: {
    title: 'Reload', says: 'The configuration file is read again and applied, whole or not at all.',
    fields: [], verb: () => 'Read the configuration again',
  },
};

const slaves = () => (state.nodes ?? []).filter(({ is_master: master }) => !master);

const labels = { to: 'New master', node: 'Node', reason: 'Reason, for the record', force: 'Pass over policy and speed (never over acknowledged writes)' };

function field(name, value) {
  if (name === 'reason') return h('label', { class: 'field' }, labels.reason, h('input', { name, type: 'text', maxlength: '200', autocomplete: 'off' }));
  if (name === 'force') return h('label', { class: 'field check' }, h('input', { name, type: 'checkbox' }), labels.force);
  const any = name === 'to' ? 'the best one' : 'every slave';
  return h('label', { class: 'field' }, labels[name], h('select', { name },
    h('option', { value: '' }, any), slaves().map((node) => h('option', { value: node.name, selected: node.name === value }, node.name))));
}

// openOrder asks for what an order needs, shows its plan, and carries it out.
export function openOrder(kind, given = {}) {
  const { title, says, fields, verb, danger } = kinds[kind];
  const plan = h('div', { class: 'plan', 'aria-live': 'polite' });
  const button = h('button', { type: 'button', class: danger ? 'danger' : 'primary', disabled: true });
  const form = h('form', { onsubmit: (event) => event.preventDefault(), onchange: ({ target }) => { if (target.name !== 'reason') rehearse(); } },
    fields.map((name) => field(name, given[name])));
  const wanted = () => ({ kind, ...Object.fromEntries([...new FormData(form)].filter(([, value]) => value).map(([name, value]) => [name, name === 'force' ? true : value])) });

  let asked = 0;
  async function rehearse() {
    const order = wanted();
    const turn = ++asked;
    button.disabled = true;
    button.textContent = verb(order);
    show(plan, h('p', { class: 'quiet' }, 'Asking what would be done.'));
    try {
      const { refusal, plan: text } = await post('v1/operations', { ...order, dry_run: true });
      if (turn !== asked) return;
      button.disabled = Boolean(refusal);
      show(plan, refusal ? h('p', { class: 'refused' }, `It would be refused: ${refusal} `, h('button', { type: 'button', class: 'small', onclick: rehearse }, 'Ask again')) : h('h3', {}, 'What will be done'), text && h('pre', {}, text));
    } catch (error) {
      if (turn === asked) show(plan, problem(error));
    }
  }

  button.onclick = async () => {
    button.disabled = true;
    try {
      const operation = await post('v1/operations', wanted());
      change({ operations: merged(state.operations, operation) });
      dialog.close();
      watch(operation.id, title);
    } catch (error) {
      show(plan, problem(error, 'Not done'));
    }
  };
  const dialog = openDialog(title, [h('p', {}, says), form, plan], [button], { onClose: () => { asked = -1; }, wide: true });
  rehearse();
}

let watched = null; // { id, content } of the operation that a dialog shows

function watch(id, title) {
  watched = { id, content: h('div', { 'aria-live': 'polite' }) };
  openDialog(title, watched.content, [], { onClose: () => { watched = null; }, wide: true });
  showWatched(state);
}

draw(['operations', 'now'], showWatched);

function showWatched({ operations, now }) {
  const operation = watched && operations?.find(({ id }) => id === watched.id);
  if (operation) show(watched.content, operationView(operation, now));
}
