// The history: what happened, step by step, and for how long writes waited.

import { byId, h, show } from './dom.js';
import { clock, elapsed, gtids, milliseconds } from './format.js';

const toMilliseconds = (nanoseconds) => nanoseconds / 1e6;
const tone = { done: 'good', running: 'busy', undone: 'warn', refused: 'bad', outrun: 'quiet' };

export function showIncidents({ incidents, now }) {
  const box = byId('incidents');
  if (!incidents?.length) return show(box, h('p', { class: 'quiet' }, incidents ? 'None so far.' : 'Not asked yet.'));
  show(box, h('ol', { class: 'timeline' }, incidents.slice(-50).reverse().map((incident) => entry(incident, now))));
}

function entry(incident, now) {
  const { id, kind, from, to, outcome, says, reason, held_ns: held, begun, ended } = incident;
  return h('li', { 'data-key': id, 'data-tone': tone[outcome] ?? 'quiet' },
    h('details', { open: outcome === 'running' },
      h('summary', {},
        h('time', { datetime: begun }, clock(begun)),
        h('strong', {}, kind),
        h('span', {}, to && to !== from ? `${from || 'nobody'} → ${to}` : from),
        h('span', { class: 'chip', 'data-tone': tone[outcome] ?? 'quiet' }, outcome),
        h('span', { class: 'quiet' }, ended ? `took ${elapsed(begun, new Date(ended))}` : `for ${elapsed(begun, now)}`),
        held > 0 && h('span', { class: 'quiet' }, `writes waited ${milliseconds(toMilliseconds(held))}`),
        h('span', { class: 'says' }, says || reason)),
      more(incident),
      h('ol', { class: 'steps' }, steps(incident.steps ?? [], begun))));
}

function more(incident) {
  const lines = [
    ['Why', incident.reason],
    ['Seen', (incident.evidence ?? []).join('; ')],
    ['Acknowledged up to', gtids(incident.end)],
    ['Lost', gtids(incident.lost)],
    ['Only the old master had', gtids(incident.errant)],
    ['Kept in', (incident.files ?? []).join(', ')],
  ].filter(([, value]) => value);
  return h('dl', { class: 'pairs' }, lines.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

// steps are drawn as what they took of the longest.
function steps(list, begun) {
  const longest = Math.max(...list.map(({ took_ns: took }) => took), 1);
  return list.map((step, i) => h('li', { 'data-key': String(i), 'data-failed': Boolean(step.error) },
    h('span', { class: 'after' }, `+${milliseconds(Math.max(0, new Date(step.begun) - new Date(begun)))}`),
    h('strong', {}, step.step), h('span', { class: 'where' }, step.node ?? ''),
    h('meter', { min: '0', max: '1', value: String(step.took_ns / longest), 'aria-hidden': 'true' }),
    h('span', { class: 'took' }, milliseconds(toMilliseconds(step.took_ns))),
    h('span', { class: 'says' }, step.error || step.says, step.again ? ` (${step.again} times more)` : '')));
}
