// All that the page knows, in one place. Views are drawn from it, together, when
// the browser next paints: a hidden page draws nothing.

export const state = {
  cluster: null, nodes: null, problems: [],
  incidents: null, operations: null,
  traffic: [], // points of the last ten minutes, the oldest first
  digests: null, sessions: null,
  link: { state: 'connecting', since: new Date(), why: '' }, // connecting, live or lost
  now: Date.now(),
};

const views = [];
const changed = new Set();

// draw has a view drawn now and whenever one of these parts of the state changed.
export function draw(parts, view) {
  views.push({ parts, view });
  view(state);
}

export function change(patch) {
  if (!changed.size) requestAnimationFrame(redraw);
  for (const part of Object.keys(patch)) changed.add(part);
  Object.assign(state, patch);
}

function redraw() {
  const parts = new Set(changed);
  changed.clear();
  for (const { parts: wanted, view } of views) if (wanted.some((part) => parts.has(part))) view(state);
}

// merged puts an item in the place of the one of the same id, or at the end. The
// answer to a call may come later than the events of what it began: what has
// ended, or has more steps, is newer. Pure.
export function merged(list, item) {
  const at = list?.findIndex(({ id }) => id === item.id) ?? -1;
  if (at < 0) return [...(list ?? []), item];
  const was = list[at];
  const older = (was.ended && !item.ended) || (was.steps?.length ?? 0) > (item.steps?.length ?? 0);
  return older ? list : list.with(at, item);
}

// refreshed asks for a whole list, and keeps what came meanwhile.
export async function refreshed(part, ask) {
  const before = state[part] ?? [];
  const list = await ask();
  const came = (state[part] ?? []).filter((item) => !before.includes(item));
  change({ [part]: came.reduce(merged, list) });
}
