// Renders /openapi.json. Everything becomes text nodes, never markup; nothing is loaded from elsewhere.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// `code` in backquotes, the rest as it is.
function prose(text, tag = "p", attributes = {}) {
  const parts = text.split(/`([^`]+)`/);
  return make(tag, attributes, ...parts.map((part, index) => (index % 2 ? make("code", {}, part) : part)));
}

class Contract {
  constructor(document) {
    this.document = document;
  }

  follow(schema) {
    let found = schema || {};
    for (let steps = 0; found.$ref && steps < 10; steps += 1) {
      const keys = found.$ref.slice(2).split("/").map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
      found = keys.reduce((value, key) => (value || {})[key], this.document) || {};
    }
    return found;
  }

  operations() {
    const found = [];
    for (const [path, item] of Object.entries(this.document.paths)) {
      for (const method of METHODS.filter((method) => item[method])) {
        found.push({ path, method, ...item[method], id: `${method}-${path}`.replace(/[^a-zA-Z0-9]+/g, "-") });
      }
    }
    return found;
  }

  // In a few words.
  kind(schema) {
    const name = schema.$ref ? schema.$ref.split("/").pop() : null;
    const real = this.follow(schema);
    const choices = real.oneOf || real.anyOf;
    if (choices) return choices.map((choice) => this.kind(choice)).join(" or ");
    if (real.type === "array") return `list of ${this.kind(real.items || {})}`;
    if (real.enum) return real.enum.map((value) => JSON.stringify(value)).join(" | ");
    const types = [].concat(real.type || (real.allOf ? "object" : "anything"));
    return [name || types.join(" or "), ...limits(real)].join(", ");
  }

  properties(schema) {
    const real = this.follow(schema);
    if (real.type === "array" || (Array.isArray(real.type) && real.type.includes("array"))) return this.properties(real.items || {});
    const parts = [...(real.allOf || []), ...(real.oneOf || real.anyOf || [])];
    const inherited = parts.flatMap((part) => this.properties(part));
    const required = new Set(real.required || []);
    const own = Object.entries(real.properties || {}).map(([name, value]) => ({ name, value, must: required.has(name) }));
    return [...inherited, ...own];
  }

  // What a request could look like.
  example(schema, depth = 0) {
    const real = this.follow(schema);
    if (real.example !== undefined) return real.example;
    if (real.examples) return real.examples[0];
    if (real.default !== undefined) return real.default;
    if (real.enum) return real.enum[0];
    if (real.oneOf || real.anyOf) return this.example((real.oneOf || real.anyOf).find((one) => one.type !== "null") || {}, depth);
    const type = [].concat(real.type || "object")[0];
    if (type === "array") return depth > 5 ? [] : [this.example(real.items || {}, depth + 1)];
    if (type === "integer" || type === "number") return real.minimum || 0;
    if (type === "boolean") return true;
    if (type === "string") return real.format === "date-time" ? "2026-01-08T00:00:00Z" : "…";
    const wanted = this.properties(real).filter(({ must, value }) => must || this.follow(value).example !== undefined);
    return depth > 5 ? {} : Object.fromEntries(wanted.map(({ name, value }) => [name, this.example(value, depth + 1)]));
  }
}

function limits(schema) {
  const found = [];
  if (schema.format) found.push(schema.format);
  if (schema.minimum !== undefined || schema.maximum !== undefined) found.push(`${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`);
  if (schema.maxLength !== undefined) found.push(`at most ${schema.maxLength} characters`);
  if (schema.maxItems !== undefined) found.push(`at most ${schema.maxItems} items`);
  if (schema.pattern) found.push(`/${schema.pattern}/`);
  return found;
}

function tree(contract, schema, seen = []) {
  const properties = contract.properties(schema);
  if (!properties.length) return null;
  return make("ul", { class: "schema" }, ...properties.map(({ name, value, must }) => {
    const line = [make("code", {}, name), must ? make("span", { class: "must" }, "required") : null, " ",
      make("span", { class: "kind" }, contract.kind(value))];
    const says = value.description || contract.follow(value).description;
    if (says) line.push(prose(says, "div", { class: "says" }));
    const reference = JSON.stringify(value);
    const inner = seen.includes(reference) || seen.length > 6 ? null : tree(contract, value, [...seen, reference]);
    if (!inner) return make("li", {}, ...line);
    return make("li", {}, make("details", {}, make("summary", {}, ...line), inner));
  }));
}

function body(contract, content) {
  return Object.entries(content || {}).map(([type, { schema }]) => make("div", {},
    make("span", { class: "kind" }, `${type}: ${contract.kind(schema || {})}`), tree(contract, schema || {})));
}

function curl(contract, operation) {
  const lines = [`curl${operation.method === "get" ? "" : ` -X ${operation.method.toUpperCase()}`} "${location.origin}${operation.path}"`];
  if (!isOpen(contract, operation)) lines.push("-H \"Authorization: Bearer $TOKEN\"");
  for (const parameter of operation.parameters || []) {
    if (parameter.in === "header" && parameter.required) lines.push(`-H "${parameter.name}: …"`);
  }
  const json = (operation.requestBody || { content: {} }).content["application/json"];
  if (json) lines.push("-H \"Content-Type: application/json\"", `-d '${JSON.stringify(contract.example(json.schema))}'`);
  return lines.join(" \\\n  ");
}

function isOpen(contract, operation) {
  const security = operation.security || contract.document.security || [];
  return !security.some((one) => Object.keys(one).length);
}

function parameters(contract, list) {
  const rows = list.map((parameter) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, parameter.name), parameter.required ? make("span", { class: "must" }, "required") : null),
    make("td", { class: "kind" }, parameter.in),
    make("td", {}, prose(parameter.description || (parameter.schema || {}).description || "", "div"), make("div", { class: "kind" }, contract.kind(parameter.schema || {})))));
  return make("div", { class: "table" }, make("table", {}, make("tbody", {}, ...rows)));
}

function copying(text) {
  const button = make("button", { class: "copy", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
  });
  return button;
}

function card(contract, operation) {
  const command = curl(contract, operation);
  const parts = [
    make("h3", {}, operation.summary || operation.operationId || ""),
    make("div", { class: "path" }, make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()), " ", operation.path),
  ];
  if (operation.description) parts.push(prose(operation.description));
  if (isOpen(contract, operation)) parts.push(make("p", { class: "says" }, "Needs no token."));
  if ((operation.parameters || []).length) parts.push(make("h4", {}, "Parameters"), parameters(contract, operation.parameters));
  if (operation.requestBody) parts.push(make("h4", {}, "Body"), ...body(contract, operation.requestBody.content));
  parts.push(make("h4", {}, "Answers"));
  for (const [status, answer] of Object.entries(operation.responses || {})) {
    const line = make("summary", {}, make("code", {}, status), " ", answer.description || "");
    parts.push(make("details", {}, line, ...body(contract, answer.content)));
  }
  parts.push(make("h4", {}, "Try it"), make("div", { class: "command" }, make("pre", {}, command), copying(command)));
  const article = make("article", { id: operation.id, tabindex: "-1" }, ...parts);
  article.dataset.text = JSON.stringify([operation.path, operation.method, operation.summary, operation.description,
    (operation.parameters || []).map(({ name }) => name)]).toLowerCase();
  return article;
}

function render(document_) {
  const contract = new Contract(document_);
  const { info } = document_;
  byId("title").append(make("small", {}, info.version));
  byId("state").replaceWith(make("article", {}, prose(info.description || ""), make("p", { class: "says" },
    "Keys: / searches, j and k go on and back, Esc clears the search. Errors are problem details (RFC 9457).")));
  const operations = contract.operations();
  // In the contract's own order.
  const named = (document_.tags || []).map(({ name }) => name);
  const used = operations.flatMap(({ tags }) => tags || ["other"]);
  const tags = [...new Set([...named, ...used])].filter((tag) => used.includes(tag));
  for (const tag of tags) {
    const mine = operations.filter((operation) => (operation.tags || ["other"])[0] === tag);
    byId("index").append(make("section", {}, make("h2", {}, tag), ...mine.map((operation) => make("a", { href: `#${operation.id}` },
      make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()), make("span", {}, operation.summary || operation.path)))));
    byId("operations").append(...mine.map((operation) => card(contract, operation)));
  }
  const wanted = location.hash && byId(location.hash.slice(1));
  if (wanted) wanted.scrollIntoView();
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const article of document.querySelectorAll("article[id]")) {
    article.hidden = !words.every((word) => article.dataset.text.includes(word));
  }
  for (const link of document.querySelectorAll("nav a")) link.hidden = byId(link.hash.slice(1)).hidden;
  for (const section of document.querySelectorAll("nav section")) section.hidden = !section.querySelector("a:not([hidden])");
}

function step(by) {
  const links = [...document.querySelectorAll("nav a:not([hidden])")];
  const current = links.findIndex((link) => link.hash === location.hash);
  const next = links[Math.min(Math.max(current + by, 0), links.length - 1)];
  if (!next) return;
  location.hash = next.hash;
  byId(next.hash.slice(1)).focus({ preventScroll: true });
}

function mark() {
  for (const link of document.querySelectorAll("nav a")) link.classList.toggle("current", link.hash === location.hash);
}

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
}

byId("search").addEventListener("input", (event) => search(event.target.value));
byId("theme").addEventListener("click", () => {
  const isDark = getComputedStyle(document.documentElement).getPropertyValue("--back").trim() === "#14171a";
  theme(isDark ? "light" : "dark");
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* it is only remembered until the page goes */ }
});
addEventListener("hashchange", mark);
addEventListener("keydown", (event) => {
  const isTyping = event.target === byId("search");
  if (event.key === "Escape" && isTyping) { event.target.value = ""; search(""); event.target.blur(); return; }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
});
try { theme(localStorage.getItem("theme")); } catch { /* no storage: the system's choice */ }
fetch("openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${answer.status} ${answer.statusText}`))))
  .then(render)
  .then(mark)
  .catch((error) => { byId("state").textContent = `The contract could not be loaded: ${error.message}`; });
