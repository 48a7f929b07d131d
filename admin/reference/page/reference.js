// Shows every call of /openapi.json, and makes them.
const token = document.getElementById('token');
token.value = sessionStorage.getItem('bellwether-token') ?? '';
token.addEventListener('change', () => sessionStorage.setItem('bellwether-token', token.value));
document.getElementById('login').addEventListener('submit', (event) => event.preventDefault());

/** element makes an element with properties and children. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** resolved follows a reference within the document. */
function resolved(api, part) {
  if (!part?.$ref) return part;
  return part.$ref.slice(2).split('/').reduce((at, key) => at[key], api);
}

/** example is a body to begin with: what is required, or all that there is. */
function example(api, schema) {
  const { properties = {}, required = Object.keys(properties) } = resolved(api, schema);
  const value = (s) => s.enum?.[0] ?? { string: '', boolean: false, number: 0, integer: 0, object: {}, array: [] }[[s.type].flat()[0]] ?? '';
  return JSON.stringify(Object.fromEntries(required.map((key) => [key, value(resolved(api, properties[key]))])), null, 2);
}

/** field is an input for a parameter. */
function field(parameter) {
  const input = element('input', { name: parameter.name, required: Boolean(parameter.required), spellcheck: false });
  input.placeholder = parameter.schema?.enum?.join(', ') ?? parameter.schema?.default ?? '';
  input.dataset.in = parameter.in;
  return element('label', {}, element('span', {}, parameter.name + ' ', element('small', { textContent: parameter.description ?? '' })), input);
}

/** request is what a filled-in form asks for. */
function request(method, path, form) {
  const headers = {}, query = new URLSearchParams();
  for (const input of form.querySelectorAll('input')) {
    if (input.value === '') continue;
    if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.dataset.in === 'header') headers[input.name] = input.value;
    else query.set(input.name, input.value);
  }
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  const body = form.querySelector('textarea')?.value.trim() || undefined;
  if (body) headers['Content-Type'] = 'application/json';
  return [path + (query.size ? `?${query}` : ''), { method: method.toUpperCase(), headers, body, cache: 'no-store' }];
}

/** pretty is a body as people read it. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** call makes a call and shows its answer as it comes, a stream's until the next. */
async function call(method, path, form, out) {
  out.stop?.abort();
  out.stop = new AbortController();
  const [target, options] = request(method, path, form);
  out.replaceChildren(element('p', { textContent: `${options.method} ${target} ...` }));
  try {
    const answer = await fetch(target, { ...options, signal: out.stop.signal });
    const shown = element('pre');
    const status = element('p', { textContent: `${answer.status} ${answer.statusText}`, className: answer.ok ? 'good' : 'bad' });
    const headers = ['etag', 'location', 'retry-after'].filter((h) => answer.headers.has(h)).map((h) => `${h}: ${answer.headers.get(h)}`);
    out.replaceChildren(status, element('p', {}, element('small', { textContent: headers.join(', ') })), shown);
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      shown.textContent = pretty(await answer.text());
      return;
    }
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) shown.textContent = (shown.textContent + piece).slice(-20000);
  } catch (error) {
    if (error.name !== 'AbortError') out.append(element('p', { textContent: String(error), className: 'bad' }));
  }
}

/** card is one call. */
function card(api, path, method, operation) {
  const form = element('form'), out = element('div');
  form.append(...(operation.parameters ?? []).map((p) => field(resolved(api, p))));
  const body = operation.requestBody?.content?.['application/json'];
  if (body) form.append(element('label', {}, 'Body', element('textarea', { value: example(api, body.schema), spellcheck: false })));
  form.append(element('button', { textContent: 'Call it' }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    call(method, path, form, out);
  });
  const statuses = Object.keys(operation.responses).filter((s) => s !== 'default').join(', ');
  return element('details', { id: operation.operationId },
    element('summary', {}, element('span', { className: `method ${method}`, textContent: method }), element('code', { textContent: path }), element('span', { textContent: operation.summary })),
    element('div', { className: 'body' }, element('p', { textContent: operation.description ?? '' }), element('small', { textContent: `Answers ${statuses}, or a problem.` }), form, out));
}

/** show fills the page. */
async function show() {
  const api = await (await fetch('/openapi.json')).json();
  document.getElementById('about').textContent = api.info.description;
  const calls = document.getElementById('calls');
  calls.replaceChildren();
  for (const tag of api.tags) {
    const section = element('section', {}, element('h2', { textContent: tag.name }), element('p', { textContent: tag.description }));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(tag.name)) section.append(card(api, path, method, operation));
      }
    }
    calls.append(section);
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute('open', '');
}

document.getElementById('find').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll('details')) one.hidden = !one.firstChild.textContent.toLowerCase().includes(wanted);
});

show().catch((error) => document.getElementById('calls').append(element('p', { textContent: `The document could not be read: ${error}`, className: 'bad' })));
