// Server-sent events, read with fetch, because an EventSource sends no token.

import { open } from './api.js';

// Parser takes the text of an event stream in pieces, cut anywhere, and returns
// the events that are complete.
export class Parser {
  #rest = '';

  feed(text) {
    const blocks = (this.#rest + text).replaceAll('\r\n', '\n').split('\n\n');
    this.#rest = blocks.pop();
    return blocks.map(parse).filter(({ data }) => data !== '');
  }
}

function parse(block) {
  const event = { type: 'message', id: '', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === 'event') event.type = value;
    if (field === 'id') event.id = value;
    if (field === 'data') event.data += (event.data && '\n') + value;
  }
  return event;
}

// The server sends a comment every five seconds at least: where nothing comes
// for longer than this the connection is taken for dead.
const silence = 12_000;
const again = [500, 1000, 2000, 3000, 5000];

// follow reads events for ever. onLive is called when a connection stands,
// onLost when it ended and why, onEvent with each event.
export async function follow({ onLive, onLost, onEvent }) {
  let last = '';
  for (let failures = 0; ; failures++) {
    try {
      await read(last, () => { failures = 0; onLive(); }, (event) => {
        last = event.id || last;
        onEvent(event.type, JSON.parse(event.data));
      });
      onLost('the server ended it');
    } catch (error) {
      onLost(error.name === 'AbortError' ? `nothing came for ${silence / 1000} s` : error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, again[Math.min(failures, again.length - 1)]));
  }
}

async function read(last, onLive, onEvent) {
  const abort = new AbortController();
  let watchdog;
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => abort.abort(), silence);
  };
  try {
    const response = await open('GET', 'v1/events', {
      signal: abort.signal,
      headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) },
    });
    onLive();
    heard();
    const parser = new Parser();
    for await (const text of pieces(response.body.pipeThrough(new TextDecoderStream()))) {
      heard();
      parser.feed(text).forEach(onEvent);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

// Not every browser iterates over a stream by itself.
async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
