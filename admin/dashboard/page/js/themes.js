// Light, dark, or what the system says; and the colours for what draws on a
// canvas, where style sheets do not reach.

import { byId } from './dom.js';

const kept = 'bellwether-theme';
const order = ['auto', 'light', 'dark'];
const watchers = [];

// onTheme calls when colours have changed.
export const onTheme = (watcher) => watchers.push(watcher);

// colour resolves a custom property, light-dark() included; mixed with what is
// behind it where it is to cover only part of it.
export function colour(name, part = 100) {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.color = `color-mix(in srgb, var(${name}) ${part}%, var(--card))`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

export function startThemes() {
  const button = byId('theme');
  const label = () => { button.textContent = `Theme: ${document.documentElement.dataset.theme ?? 'auto'}`; };
  button.onclick = () => {
    const now = document.documentElement.dataset.theme ?? 'auto';
    const next = order[(order.indexOf(now) + 1) % order.length];
    if (next === 'auto') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem(kept);
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem(kept, next);
    }
    label();
    watchers.forEach((watcher) => watcher());
  };
  label();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => watchers.forEach((watcher) => watcher()));
}
