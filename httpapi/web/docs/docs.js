// The reference page: lists what /api/openapi.json tells, and sends requests.

const METHODS = ["get", "post", "put", "patch", "delete"];

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) node[key] = value;
  node.append(...children);
  return node;
}

/** A value that fits a schema, to start typing from. */
function example(schema, root, depth = 0) {
  if (!schema || depth > 4) return null;
  if (schema.$ref) return example(root.components.schemas[schema.$ref.split("/").pop()], root, depth + 1);
  if ("default" in schema && schema.default !== null && typeof schema.default !== "object") return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return example(schema.anyOf.find((each) => each.type !== "null"), root, depth + 1);
  if (schema.type === "object") {
    const wanted = Object.entries(schema.properties ?? {}).filter(([name]) => (schema.required ?? []).includes(name));
    return Object.fromEntries(wanted.map(([name, each]) => [name, example(each, root, depth + 1)]));
  }
  return { string: "", integer: 0, number: 0, boolean: false, array: [] }[schema.type] ?? null;
}

function operation(root, path, method, told) {
  const inputs = told.parameters.map((parameter) => {
    const input = el("input", { required: parameter.required });
    const label = el("label", {}, `${parameter.name} (${parameter.in})`, input);
    return { parameter, input, label };
  });
  const content = told.requestBody?.content ?? {};
  const json = content["application/json"];
  const body = json && el("textarea", { spellcheck: false, value: JSON.stringify(example(json.schema, root), null, 2) });
  const file = content["multipart/form-data"] && el("input", { type: "file" });
  const out = el("pre", { hidden: true });
  const form = el("form", {}, ...inputs.map(({ label }) => label),
    ...(body ? [el("label", {}, "body", body)] : []), ...(file ? [el("label", {}, "file", file)] : []),
    el("button", {}, "Send"), out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    out.hidden = false;
    out.textContent = "…";
    out.textContent = await send(path, method, inputs, body, file).catch((problem) => String(problem));
  });
  const answers = Object.entries(told.responses).flatMap(([status, answer]) =>
    [el("dt", {}, status), el("dd", {}, answer.description)]);
  return el("details", {},
    el("summary", {}, el("span", { className: "method" }, method.toUpperCase()), el("code", {}, path), ` ${told.summary}`),
    ...(told.description ? [el("p", {}, told.description)] : []), form, el("dl", {}, ...answers));
}

async function send(path, method, inputs, body, file) {
  const headers = {};
  const query = new URLSearchParams();
  let url = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (!input.value) continue;
    else if (parameter.in === "query") query.set(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const request = { method: method.toUpperCase(), headers };
  if (body) {
    headers["Content-Type"] = "application/json";
    request.body = body.value;
  } else if (file) {
    request.body = new FormData();
    if (file.files[0]) request.body.append("file", file.files[0]);
  }
  const response = await fetch(query.size ? `${url}?${query}` : url, request);
  const type = response.headers.get("Content-Type") ?? "";
  const text = type.includes("json") ? JSON.stringify(await response.json(), null, 2)
    : `${(await response.blob()).size} bytes of ${type || "nothing"}`;
  return `${response.status} ${response.statusText}\n\n${text}`;
}

async function start() {
  const root = await (await fetch("/api/openapi.json")).json();
  const main = document.getElementById("operations");
  main.replaceChildren();
  const groups = new Map();
  for (const [path, item] of Object.entries(root.paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      const told = item[method];
      if (!groups.has(told.tags[0])) groups.set(told.tags[0], []);
      groups.get(told.tags[0]).push(operation(root, path, method, told));
    }
  }
  for (const [tag, operations] of groups) main.append(el("section", {}, el("h2", {}, tag), ...operations));
}

start().catch((problem) => { document.getElementById("operations").textContent = String(problem); });
