// Elements from values, and a page that is changed only where it differs. Text
// is always text: nothing here makes markup out of a string.

const svgTags = new Set(['svg', 'path', 'g', 'circle', 'marker', 'defs', 'rect', 'text']);

// h makes an element. A property that is a function is a handler; one that is
// null, undefined or false is left out, and so are such children.
export function h(tag, properties = {}, ...children) {
  const element = svgTags.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  element.handlers = [];
  for (const [name, value] of Object.entries(properties)) {
    const spoken = /^(data|aria)-/.test(name); // there false is a value like others
    if (value === null || value === undefined || (value === false && !spoken)) continue;
    if (typeof value === 'function') {
      element[name] = value;
      element.handlers.push(name);
    } else element.setAttribute(name, value === true && !spoken ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// show makes the children of a container these, and keeps what is the same: the
// focus, a selection and an open <details> outlive it. A child with data-key is
// found again by it, wherever it has moved.
export function show(container, ...children) {
  morphChildren(container, h(container.tagName, {}, ...children));
}

function morph(from, to) {
  if (from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return from;
  }
  // Whether a <details> is open is the reader's, once it is there.
  const reader = (name) => name === 'open' && from.nodeName === 'DETAILS';
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !reader(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value && !reader(name)) from.setAttribute(name, value);
  for (const name of to.handlers) from[name] = to[name];
  from.handlers = to.handlers;
  morphChildren(from, to);
  return from;
}

function morphChildren(from, to) {
  const known = new Map();
  for (const child of from.children) if (child.dataset.key !== undefined) known.set(child.dataset.key, child);
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    const key = want.dataset?.key;
    const have = key === undefined ? (at?.dataset?.key === undefined ? at : null) : known.get(key);
    if (!have) {
      from.insertBefore(want, at);
      continue;
    }
    if (have !== at) from.insertBefore(have, at);
    at = morph(have, want).nextSibling;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

export const byId = (id) => document.getElementById(id);
