// Begins everything: what is asked for, how often, and which views show it.

import { get } from './api.js';
import { change, draw, merged, refreshed, state } from './state.js';
import { follow } from './stream.js';
import { showFacts, showLink, showProblems, showSentence } from './headline.js';
import { showPicture } from './picture.js';
import { showTraffic } from './traffic.js';
import { showStatements, askStatements } from './statements.js';
import { showSessions, askSessions } from './sessions.js';
import { showIncidents } from './incidents.js';
import { showOperations, showOrders } from './operations.js';
import { startThemes } from './themes.js';

const kept = 600; // seconds of traffic, and so points

const handlers = {
  cluster: (cluster) => change({ cluster }),
  nodes: ({ nodes }) => change({ nodes }),
  problems: ({ problems }) => change({ problems }),
  incident: (incident) => change({ incidents: merged(state.incidents, incident) }),
  operation: (operation) => change({ operations: merged(state.operations, operation) }),
  traffic: (point) => {
    const last = state.traffic.at(-1);
    if (last && new Date(point.at) <= new Date(last.at)) return;
    change({ traffic: [...state.traffic, point].slice(-kept) });
  },
};

// history is what events only add to. One that fails leaves its part of the page
// as it was: the next connection asks again.
async function history() {
  const parts = [
    get(`v1/traffic?seconds=${kept}`).then(({ points }) => change({ traffic: points })),
    refreshed('incidents', () => get('v1/incidents').then(({ incidents }) => incidents)),
    refreshed('operations', () => get('v1/operations').then(({ operations }) => operations)),
  ];
  for (const { reason } of await Promise.allSettled(parts)) if (reason) console.warn(reason);
}

// every asks again and again, while somebody looks and the connection stands.
async function every(milliseconds, ask) {
  for (;;) {
    if (document.visibilityState === 'visible' && state.link.state === 'live') await ask();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}

startThemes();
draw(['link', 'now'], showLink);
draw(['cluster', 'link'], showSentence);
draw(['cluster', 'traffic', 'now'], showFacts);
draw(['problems', 'link'], showProblems);
draw(['cluster', 'nodes', 'traffic', 'link'], showPicture);
draw(['traffic'], showTraffic);
draw(['operations', 'now'], showOperations);
draw(['nodes', 'link'], showOrders);
draw(['digests'], showStatements);
draw(['sessions', 'nodes', 'link'], showSessions);
draw(['incidents', 'now'], showIncidents);

follow({
  onLive: () => {
    change({ link: { state: 'live', since: new Date(), why: '' } });
    history();
    askSessions();
    askStatements();
  },
  onLost: (why) => {
    if (state.link.state !== 'lost') change({ link: { state: 'lost', since: new Date(), why } });
  },
  onEvent: (type, value) => handlers[type]?.(value),
});
every(3000, askSessions);
every(5000, askStatements);
setInterval(() => change({ now: Date.now() }), 1000);
