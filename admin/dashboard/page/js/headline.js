// What comes first: does it serve, is the page itself up to date, what is the
// matter.

import { forgetToken, hasToken } from './api.js';
import { byId, h, show } from './dom.js';
import { clock, count, duration, elapsed, milliseconds, plural } from './format.js';

// verdict is the state of the cluster in a sentence. Pure.
export function verdict(cluster) {
  if (!cluster) return { state: 'unknown', says: 'Asking Bellwether for the state of the cluster.' };
  const { ready, not_ready: why, degraded, master, writes } = cluster;
  if (!ready) return { state: 'bad', title: 'not ready', says: `Not ready: ${why || `writes are ${writes}`}.` };
  if (degraded) return { state: 'warn', title: 'degraded', says: `Ready, but degraded: ${degraded}.` };
  return { state: 'good', title: 'ready', says: `Ready. ${master} is the master, and writes are ${writes}.` };
}

export function showSentence({ cluster, link }) {
  const { state, says, title } = verdict(cluster);
  const sentence = byId('sentence');
  const text = says.replace(/([.!?])\.$/, '$1');
  if (sentence.textContent !== text) sentence.textContent = text;
  sentence.dataset.state = link.state === 'lost' ? 'unknown' : state;
  document.title = link.state === 'lost' ? 'Connection lost · Bellwether' : `${title ?? '…'} · Bellwether`;
  byId('version').textContent = cluster ? `${cluster.version} · ${cluster.family === 'mariadb' ? 'MariaDB' : 'MySQL'}` : '';
}

export function showFacts({ cluster, traffic, now }) {
  if (!cluster) return;
  const last = traffic.at(-1);
  const facts = [
    ['Statements', last ? `${count(last.statements)}/s` : '–'],
    ['Slowest 1 %', milliseconds(last?.p99_ms)],
    ['Clients', count(cluster.clients)],
    ['Held', count(cluster.held_statements), cluster.held_statements > 0],
    ['Feed', cluster.feed],
    ['Consistency', cluster.consistency],
    ['Generation', count(cluster.generation)],
    ['Up', cluster.started ? elapsed(cluster.started, now) : duration(cluster.uptime_seconds)],
  ];
  show(byId('facts'), facts.map(([name, value, loud]) => h('div', { class: loud && 'loud' }, h('dt', {}, name), h('dd', {}, value))));
}

byId('forget').onclick = () => {
  forgetToken();
  location.reload();
};

export function showLink({ link, now }) {
  const chip = byId('link');
  chip.dataset.link = link.state;
  const text = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost' }[link.state];
  if (chip.textContent !== text) chip.textContent = text;
  byId('forget').hidden = !hasToken();
  const lost = byId('lost');
  const stale = link.state === 'lost';
  document.body.dataset.stale = stale;
  lost.hidden = !stale;
  if (!stale) return;
  // Only the first words are for a screen reader: the seconds would be read out
  // each second.
  show(lost, h('strong', {}, `Connection to Bellwether lost at ${clock(link.since)}.`),
    h('span', { 'aria-hidden': 'true' }, ` ${elapsed(link.since, now)} ago. What stands below is from then, and nothing can be ordered. Trying again. `),
    h('span', { class: 'why', 'aria-hidden': 'true' }, link.why));
}

export function showProblems({ problems }) {
  const section = byId('problems');
  section.hidden = !problems.length;
  show(section, problems.map((problem) => h('details', { 'data-key': problem.kind + problem.node, class: 'problem' },
    h('summary', {},
      problem.node && h('strong', {}, problem.node + ' '),
      h('span', {}, problem.description || String(problem.kind).replaceAll('_', ' ')),
      problem.asks && problem.asks !== 'nothing' && h('span', { class: 'chip' }, `asks for ${problem.asks}`)),
    h('ul', {}, [problem.evidence ?? []].flat().map((line) => h('li', {}, line))))),
  problems.length > 1 && h('p', { class: 'quiet' }, plural(problems.length, 'problem')));
}
