// Shows the OpenAPI document: every operation with its parameters, bodies and answers, by example.
import { blocks, el } from "./markdown.js";

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
// A single line break in a description is only where its source line ended.
const prose = (text) => blocks((text ?? "").replace(/(\S)\n(?=\S)/g, "$1 "));
const code = (value) => el("pre", { tabindex: "0" }, el("code", {}, pretty(value)));

function deref(schema, root) {
  const name = schema?.$ref?.split("/").pop();
  return name ? root.components.schemas[name] : (schema ?? {});
}

/** An example of a schema: its own, or one put together from those of its properties. */
function exampleOf(schema, root) {
  const whole = deref(schema?.anyOf?.[0] ?? schema, root);
  if (whole.examples?.length) return whole.examples[0];
  if (!whole.properties) return whole.default ?? whole.type ?? null;
  const wanted = Object.entries(whole.properties).filter(([key, value]) => whole.required?.includes(key) || value.examples || "default" in value);
  return Object.fromEntries(wanted.map(([key, value]) => [key, value.examples?.[0] ?? ("default" in value ? value.default : exampleOf(value, root))]));
}

function answers(responses) {
  const parts = [];
  for (const [status, response] of Object.entries(responses)) {
    if (status.startsWith("2")) {
      parts.push(el("h4", {}, `${status} — ${response.description}`));
      for (const [type, content] of Object.entries(response.content ?? {})) {
        parts.push(el("p", { class: "soft" }, type), code(content.example));
      }
    }
  }
  const refused = Object.entries(responses).filter(([status]) => !status.startsWith("2"));
  if (refused.length) {
    parts.push(el("h4", {}, "Errors"));
    const rows = refused.map(([status, response]) => {
      const examples = Object.values(response.content?.["application/problem+json"]?.examples ?? {});
      const words = examples.map((one) => one.value.detail).join(" · ") || response.description;
      return el("li", {}, el("code", {}, status), ` ${words}`);
    });
    parts.push(el("ul", {}, ...rows));
  }
  return parts;
}

function operation(method, path, op, root) {
  const body = op.requestBody?.content?.["application/json"]?.schema;
  const parameters = (op.parameters ?? []).map((p) =>
    el("li", {}, el("code", {}, p.name), ` in ${p.in}${p.required ? ", required" : ""}${p.description ? ` — ${p.description}` : ""}`),
  );
  return el(
    "details",
    { class: "operation" },
    el("summary", {}, el("b", {}, method.toUpperCase()), el("code", {}, path), el("span", { class: "soft" }, op.summary)),
    ...prose(op.description),
    ...(parameters.length ? [el("h4", {}, "Parameters"), el("ul", {}, ...parameters)] : []),
    ...(body ? [el("h4", {}, "Body"), code(exampleOf(body, root))] : []),
    ...answers(op.responses),
  );
}

const root = await (await fetch("/api/v1/openapi.json")).json();
document.getElementById("about").append(...prose(root.info.description));
const all = Object.entries(root.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, op]) => [method, path, op]));
for (const tag of root.tags) {
  const own = all.filter(([, , op]) => op.tags?.includes(tag.name));
  document.getElementById("operations").append(
    el("h2", {}, tag.name),
    el("p", { class: "soft" }, tag.description),
    ...own.map(([method, path, op]) => operation(method, path, op, root)),
  );
}
document.documentElement.dataset.ready = "true";
