// Calls to Bellwether. The token is asked for when the first answer wants one,
// and kept for this tab only.

import { askToken } from './token.js';

const kept = 'bellwether-token';

// hasToken and forgetToken are for who wants to be somebody else.
export const hasToken = () => sessionStorage.getItem(kept) !== null;
export const forgetToken = () => sessionStorage.removeItem(kept);

// Refused is an answer that is not a success: what the problem document says.
export class Refused extends Error {
  constructor(status, problem) {
    const { title = `HTTP ${status}`, detail = '', remedy = '' } = problem;
    super(detail || title);
    Object.assign(this, { status, title, detail, remedy, type: problem.type });
  }
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

// open sends a request and returns the response once it is a success.
export async function open(method, path, { body, headers = {}, signal } = {}) {
  for (;;) {
    const token = sessionStorage.getItem(kept);
    const response = await fetch(path, {
      method, signal, cache: 'no-store',
      headers: {
        Accept: 'application/json',
        ...headers,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401) throw new Refused(response.status, problem);
    // Another call may have asked meanwhile.
    if (sessionStorage.getItem(kept) === token) sessionStorage.setItem(kept, await askToken(problem.detail, Boolean(token)));
  }
}

export async function call(method, path, options) {
  const response = await open(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body) => call('POST', path, { body });
