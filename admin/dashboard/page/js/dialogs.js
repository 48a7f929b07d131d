// Dialogs: the browser's own, so that focus stays inside, Escape closes them and
// the focus returns to where it was.

import { h, show } from './dom.js';
import { state } from './state.js';

let number = 0;

// openDialog shows a dialog; actions are its buttons besides Close. It is taken
// away once closed.
export function openDialog(title, content, actions = [], { onClose, wide } = {}) {
  const id = `dialog-${++number}`;
  const dialog = h('dialog', { 'aria-labelledby': id, class: wide && 'wide', onclose: () => { dialog.remove(); onClose?.(); } },
    h('h2', { id }, title), h('div', { class: 'content' }, content),
    h('footer', {}, h('button', { type: 'button', onclick: () => dialog.close() }, 'Close'), actions));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// problem tells of a call that was refused, or failed.
export function problem(error, says = '') {
  const lost = error instanceof TypeError;
  return h('div', { class: 'refused', role: 'alert' },
    h('p', {}, says && h('strong', {}, says + ': '), lost ? 'Bellwether did not answer. It may have been done all the same: look before you try again.' : error.message),
    error.remedy && h('p', {}, error.remedy));
}

// confirm asks once more, and acts.
export function confirm({ title, says, verb, danger, act }) {
  const answer = h('div', { class: 'answer' });
  const button = h('button', {
    type: 'button', class: danger ? 'danger' : 'primary',
    onclick: async () => {
      button.disabled = true;
      try {
        await act();
        dialog.close();
      } catch (error) {
        show(answer, problem(error));
        button.disabled = false;
      }
    },
  }, verb);
  const dialog = openDialog(title, [[says].flat().map((line) => h('p', {}, line)), answer], [button]);
  button.disabled = state.link.state === 'lost';
}
