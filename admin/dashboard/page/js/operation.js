// One operation: how far it is, what it says, its steps.

import { call } from './api.js';
import { h } from './dom.js';
import { clock, duration, elapsed, milliseconds } from './format.js';
import { confirm } from './dialogs.js';

const tone = { running: 'busy', done: 'good', failed: 'bad', refused: 'bad', cancelled: 'warn', interrupted: 'warn' };

// headline is an operation in a line.
export function headline(operation, now) {
  const { kind, state, asked, ended, to, node } = operation;
  return [
    h('time', { datetime: asked }, clock(asked)), h('strong', {}, kind), h('span', {}, to || node || ''),
    h('span', { class: 'chip', 'data-tone': tone[state] ?? 'quiet' }, state),
    h('span', { class: 'quiet' }, ended ? elapsed(asked, new Date(ended)) : `for ${elapsed(asked, now)}`),
  ];
}

// operationView is all of it; without its headline where that stands above.
export function operationView(operation, now, headed = true) {
  const { id, state, says, progress, steps, by, reason, cancellable } = operation;
  return [
    headed && h('p', { class: 'line' }, headline(operation, now)),
    state === 'running' && h('progress', { max: '1', value: progress ?? null, 'aria-label': 'Progress' }),
    h('p', { class: ['failed', 'refused'].includes(state) ? 'refused' : 'says' }, says || (state === 'running' ? 'Under way.' : '')),
    h('ol', { class: 'steps' }, (steps ?? []).map((step, i) => h('li', { 'data-key': String(i), 'data-failed': Boolean(step.error) },
      h('strong', {}, step.step), h('span', { class: 'where' }, step.node ?? ''),
      h('span', { class: 'took' }, step.took_ms === null || step.took_ms === undefined ? duration((now - new Date(step.begun)) / 1000) : milliseconds(step.took_ms)),
      h('span', { class: 'says' }, step.error || step.says)))),
    h('p', { class: 'quiet' }, `Asked by ${by || 'somebody'} at ${clock(operation.asked)}${reason ? `: ${reason}` : ''}.`),
    state === 'running' && cancellable && h('button', { type: 'button', onclick: () => openCancel(id, operation.kind) }, 'Cancel…'),
  ];
}

function openCancel(id, kind) {
  confirm({
    title: `Cancel the ${kind}`, says: 'What is done stays done; nothing further is begun.', verb: `Cancel the ${kind}`, danger: true,
    act: () => call('DELETE', `v1/operations/${encodeURIComponent(id)}`),
  });
}
