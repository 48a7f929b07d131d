// The statement classes that cost the most, and one of them in full.

import { call, get, post } from './api.js';
import { byId, h, show } from './dom.js';
import { bytes, clock, count, milliseconds, plural } from './format.js';
import { change, state } from './state.js';
import { confirm, openDialog } from './dialogs.js';

const shown = 50;

export async function askStatements() {
  try {
    change({ digests: await get(`v1/digests?order=${byId('statements-order').value}&limit=${shown}`) });
  } catch (error) {
    change({ digests: { refused: error.message } });
  }
}

byId('statements-order').onchange = askStatements;
byId('statements-reset').onclick = () => confirm({
  title: 'Count statements anew',
  says: 'The counts, times and percentiles of all statements begin at nought. What Prometheus reads is not touched.',
  verb: 'Count anew',
  act: () => call('DELETE', 'v1/digests').then(askStatements),
});

export function showStatements({ digests }) {
  const box = byId('statements');
  if (!digests) return show(box, h('p', { class: 'quiet' }, 'Not asked yet.'));
  if (digests.refused) return show(box, h('p', { class: 'refused' }, digests.refused));
  byId('statements-since').textContent = `since ${clock(digests.since)}${digests.dropped ? `, ${plural(digests.dropped, 'statement')} of further classes left out` : ''}`;
  if (!digests.digests.length) return show(box, h('p', { class: 'quiet' }, 'No statement yet.'));
  const most = Math.max(...digests.digests.map(({ total_ms: total }) => total), 1);
  show(box, h('table', { class: 'statements' },
    h('thead', {}, h('tr', {},
      ['Statement', 'Class', 'Count', 'Errors', 'Total', 'p50', 'p95', 'p99', 'Slowest', 'Master / slaves'].map((name, i) =>
        h('th', { scope: 'col', class: i > 1 && i < 9 ? 'number' : null }, name)))),
    h('tbody', {}, digests.digests.map((digest) => row(digest, most)))));
}

function row(digest, most) {
  return h('tr', { 'data-key': digest.digest + (digest.database ?? '') },
    h('td', { class: 'text' }, h('button', { type: 'button', class: 'statement', title: digest.text, onclick: () => openStatement(digest) }, digest.text)),
    h('td', {}, h('span', { class: 'chip', 'data-class': digest.class }, digest.class)),
    h('td', { class: 'number', 'data-label': 'Count' }, count(digest.count)),
    h('td', { class: digest.errors ? 'number bad' : 'number', 'data-label': 'Errors' }, count(digest.errors)),
    h('td', { class: 'number', 'data-label': 'Total' }, h('meter', { min: '0', max: '1', value: digest.total_ms / most, 'aria-hidden': 'true' }), h('span', { class: 'total' }, milliseconds(digest.total_ms))),
    Object.entries({ p50: 'p50_ms', p95: 'p95_ms', p99: 'p99_ms', Slowest: 'max_ms' }).map(([label, key]) =>
      h('td', { class: 'number', 'data-label': label }, milliseconds(digest[key]))),
    h('td', { 'data-label': 'Master / slaves' }, targets(digest)));
}

function targets({ to_master: master, to_slaves: slaves }) {
  const all = master + slaves;
  if (!all) return '–';
  const part = Math.round(100 * slaves / all);
  return h('span', { class: 'share' }, h('progress', { max: '100', value: String(part), 'aria-hidden': 'true' }), `${100 - part} / ${part} %`);
}

function openStatement(digest) {
  const why = h('div', {}, h('p', { class: 'quiet' }, 'Asking where it would go now.'));
  openDialog('Statement', [
    h('pre', { class: 'sql' }, digest.text),
    h('dl', { class: 'pairs' }, Object.entries({
      Digest: digest.digest, Database: digest.database || '–', Class: digest.class, 'First seen': clock(digest.first_seen), 'Last seen': clock(digest.last_seen),
      Count: count(digest.count), Errors: count(digest.errors), 'Rows sent': count(digest.rows_sent), 'Rows affected': count(digest.rows_affected),
      'Bytes to clients': bytes(digest.bytes_sent), 'Bytes from clients': bytes(digest.bytes_received),
      'On the master': count(digest.to_master), 'On slaves': count(digest.to_slaves),
    }).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    h('h3', {}, 'Where it goes'), why,
  ]);
  post('v1/explain', { statement: digest.text, database: digest.database || undefined, consistency: state.cluster?.consistency }).then(
    ({ target, node, why: reasons }) => show(why, h('p', {}, h('strong', {}, node ? `${target} (${node})` : target)), h('ul', {}, reasons.map((reason) => h('li', {}, reason)))),
    (error) => show(why, h('p', { class: 'refused' }, error.message)));
}
