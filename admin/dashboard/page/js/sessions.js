// The clients' sessions: what each does, where, and what keeps it there.

import { call, get } from './api.js';
import { byId, h, show } from './dom.js';
import { count, duration, plural } from './format.js';
import { change } from './state.js';
import { openDialog, problem } from './dialogs.js';

const shown = 200;
const [user, node, pinned] = ['user', 'node', 'pinned'].map((name) => byId(`sessions-${name}`));

export async function askSessions() {
  const query = new URLSearchParams({ limit: shown });
  if (user.value.trim()) query.set('user', user.value.trim());
  if (node.value) query.set('node', node.value);
  if (pinned.checked) query.set('pinned', 'true');
  try {
    change({ sessions: await get(`v1/sessions?${query}`) });
  } catch (error) {
    change({ sessions: { refused: error.message } });
  }
}

for (const control of [user, node, pinned]) control.oninput = askSessions;

export function showSessions({ sessions, nodes }) {
  showNodes(nodes ?? []);
  const box = byId('sessions');
  if (!sessions) return show(box, h('p', { class: 'quiet' }, 'Not asked yet.'));
  if (sessions.refused) return show(box, h('p', { class: 'refused' }, sessions.refused));
  const { sessions: list, total } = sessions;
  byId('sessions-total').textContent = list.length < total ? `${list.length} of ${count(total)}` : plural(total, 'session');
  if (!list.length) return show(box, h('p', { class: 'quiet' }, 'No session.'));
  const order = [...list].sort((a, b) => rank(a) - rank(b) || b.since_seconds - a.since_seconds);
  show(box, h('table', { class: 'sessions' },
    h('thead', {}, h('tr', {}, ['Id', 'User', 'Client', 'Database', 'State', 'Node', 'Pinned by', 'Statement', ''].map((name) =>
      h('th', { scope: 'col' }, name || h('span', { class: 'unseen' }, 'End it'))))),
    h('tbody', {}, order.map(row))));
}

// Those that do something come first, those that wait before all.
const rank = ({ state, in_transaction: open }) => ['held', 'waiting', 'running'].includes(state) ? 0 : open ? 1 : 2;

function row(session) {
  return h('tr', { 'data-key': String(session.id), 'data-state': session.state },
    h('td', { class: 'number' }, session.id),
    h('td', {}, session.user),
    h('td', { class: 'address' }, session.client, session.tls && h('span', { class: 'chip' }, 'TLS')),
    h('td', { 'data-label': 'Database' }, session.database || '–'),
    h('td', {}, h('span', { class: 'dot' }), ` ${session.state} ${duration(session.since_seconds)}`),
    h('td', { 'data-label': 'Node' }, session.node ?? '–'),
    h('td', {}, session.in_transaction && h('span', { class: 'chip' }, 'transaction'), ' ',
      (session.pins ?? []).filter((pin) => !(session.in_transaction && pin === 'transaction')).map((pin) => [h('span', { class: 'chip' }, pin), ' '])),
    h('td', { class: 'text' }, h('code', { title: session.statement || null }, session.statement || '')),
    h('td', { class: 'act' }, h('button', { type: 'button', class: 'small', 'aria-label': `End session ${session.id} of ${session.user}`, onclick: () => openKill(session) }, 'End…')));
}

function openKill(session) {
  const act = (path, says) => async (event) => {
    const dialog = event.target.closest('dialog');
    try {
      await call('DELETE', path);
      dialog.close();
      askSessions();
    } catch (error) {
      show(dialog.querySelector('.answer'), problem(error, says));
    }
  };
  const path = `v1/sessions/${session.id}`;
  openDialog(`End session ${session.id}`, [
    h('p', {}, `${session.user} from ${session.client}, connected for ${duration(session.connected_seconds)}, ${plural(session.statements, 'statement')}.`),
    session.statement && h('pre', { class: 'sql' }, session.statement),
    session.in_transaction && h('p', { class: 'warning' }, 'It is in a transaction, which is rolled back with the session.'),
    h('p', {}, 'Ending the session closes its connection: the client reads an error at its next statement. Ending the statement leaves the session as it is; the statement ends with error 1317.'),
    h('div', { class: 'answer' }),
  ], [
    session.state !== 'idle' && h('button', { type: 'button', onclick: act(`${path}?query=true`, 'The statement was not ended') }, 'End its statement'),
    h('button', { type: 'button', class: 'danger', onclick: act(path, 'The session was not ended') }, `End session ${session.id}`),
  ]);
}

function showNodes(nodes) {
  const names = ['', ...nodes.map(({ name }) => name)];
  if ([...node.options].map(({ value }) => value).join() === names.join()) return;
  const was = node.value;
  node.replaceChildren(...names.map((name) => h('option', { value: name }, name || 'any node')));
  node.value = names.includes(was) ? was : '';
}
