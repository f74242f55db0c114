// REST calls of this page. The login is a cookie that scripts cannot read.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code;
    this.errors = body.errors ?? [];
  }
}

async function answer(response) {
  const body = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

export const get = async (path) => answer(await fetch(`/api${path}`));

export const send = async (method, path, body = {}) =>
  answer(
    await fetch(`/api${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );

/** Upload a file; `progress` is called with 0..1. fetch() cannot tell progress, XMLHttpRequest can. */
export function upload(file, progress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/tracks/uploads");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () =>
      request.status === 201
        ? resolve(request.response)
        : reject(new Problem(request.status, request.response ?? {}));
    request.onerror = () => reject(new Problem(0, { title: "The connection was lost." }));
    request.send(form);
  });
}
