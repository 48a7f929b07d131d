// The dialog that asks for a token. One at a time, whoever waits for it.

import { h } from './dom.js';

let asked = null;

// askToken resolves with what was typed in.
export function askToken(why, again) {
  asked ??= new Promise((resolve) => {
    const input = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true, spellcheck: 'false' });
    const dialog = h('dialog', { 'aria-labelledby': 'token-title', class: 'narrow', oncancel: (event) => event.preventDefault() },
      h('form', { method: 'dialog', onsubmit: () => { asked = null; resolve(input.value.trim()); dialog.remove(); } },
        h('h2', { id: 'token-title' }, 'Token'),
        again && h('p', { class: 'refused', role: 'alert' }, 'That token was not taken.'),
        h('p', {}, why || 'This Bellwether wants to know who calls.'),
        h('label', { for: 'token', class: 'field' }, 'Token of admin.tokens', input),
        h('p', { class: 'quiet' }, 'It is kept until this tab is closed, and is sent nowhere else.'),
        h('footer', {}, h('button', { class: 'primary' }, 'Use it'))));
    document.body.append(dialog);
    dialog.showModal();
  });
  return asked;
}
