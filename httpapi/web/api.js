// REST calls of this page. The login is a cookie that scripts cannot read.

/** A refusal; `retryAfterMs` is set where the server says when to try again. */
export class Problem extends Error {
  constructor(status, body, retryAfterS) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code;
    this.errors = body.errors ?? [];
    this.retryAfterMs = Number(retryAfterS) * 1_000 || undefined;
  }
}

/** The network did not carry it: nobody has refused anything. */
const lost = () => new Problem(0, { title: "The server cannot be reached." });

const stopped = () => new Problem(0, { title: "Stopped." });

const GIVEN_UP_AFTER_MS = 20_000; // what is only looked at can be asked for again

async function answer(asked) {
  const response = await asked.catch(() => { throw lost(); });
  const body = response.status === 204 ? {} : await response.json().catch(() => { if (response.ok) throw lost(); return {}; });
  if (!response.ok) throw new Problem(response.status, body, response.headers.get("Retry-After"));
  return body;
}

export const get = (path) => answer(fetch(`/api${path}`, { signal: AbortSignal.timeout(GIVEN_UP_AFTER_MS) }));

export const send = (method, path, body = {}) =>
  answer(fetch(`/api${path}`, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

/** Upload a file; `progress` is called with 0..1. fetch() cannot tell progress, XMLHttpRequest can. */
export function upload(file, progress, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw stopped();
    const form = new FormData();
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/tracks/uploads");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () =>
      request.status === 201
        ? resolve(request.response)
        : reject(new Problem(request.status, request.response ?? {}, request.getResponseHeader("Retry-After")));
    request.onerror = () => reject(lost());
    request.onabort = () => reject(stopped());
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
