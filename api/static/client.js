// Talks to the HTTP API: tokens, JSON calls, and the event stream of a reply.
import { language } from "./i18n.js";

const API = "/api/v1";

/** A failed call. `kind` is "unreachable", "broken" or the problem's slug; `detail` is fit to show. */
export class Failure extends Error {
  constructor(kind, { detail = "", status = 0, trace = "" } = {}) {
    super(kind);
    Object.assign(this, { kind, detail, status, trace });
  }
}

function ofProblem(problem, status) {
  return new Failure(String(problem?.type ?? "internal").split(":").pop(), {
    detail: problem?.detail ?? "", status: problem?.status ?? status, trace: problem?.instance ?? "",
  });
}

/** The language, and the page the user came from where the host names it: `/?page=…`. */
function place() {
  const page = new URLSearchParams(location.search).get("page");
  return { locale: language() === "en" ? "en" : "zh-CN", ...(page ? { page } : {}) };
}

/** Splits a byte stream into server-sent events, whatever the pieces it arrives in. */
export async function* readEvents(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        let event = "message";
        const data = [];
        for (const line of block.split(/\r?\n/)) {
          if (line.startsWith("event:")) event = line.slice(6).trim();
          else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        }
        if (data.length) yield { event, data: JSON.parse(data.join("\n")) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function send(path, { token = null, method = "GET", body, accept = "application/json", signal } = {}) {
  const headers = { Accept: accept, "Accept-Language": language() };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, credentials: "omit", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("unreachable");
  }
  if (!answer.ok) throw ofProblem(await answer.json().catch(() => null), answer.status);
  return answer;
}

/** The JSON of one call, or with `raw` its text. Throws Failure. */
export async function callJson(path, { raw = false, ...options } = {}) {
  const answer = await send(path, { ...options, accept: raw ? "*/*" : "application/json" });
  try {
    return raw ? await answer.text() : answer.status === 204 ? null : await answer.json();
  } catch {
    throw new Failure("broken");
  }
}

export class Client {
  token = null;

  #fetch(path, options) {
    return send(path, { token: this.token, ...options });
  }

  async #json(path, options) {
    const answer = await this.#fetch(path, options);
    return answer.status === 204 ? null : answer.json();
  }

  /** The demo's users, or null where there is no demo. */
  async demoUsers() {
    try {
      return (await this.#json("/demo/users")).users;
    } catch (error) {
      if (error instanceof Failure && error.status === 404) return null;
      throw error;
    }
  }

  async demoSession(userId) {
    this.token = null;
    this.token = (await this.#json("/demo/session", { method: "POST", body: { user_id: userId } })).token;
  }

  async suggestions() {
    const query = new URLSearchParams(place());
    return (await this.#json(`${API}/suggestions?${query}`)).questions;
  }

  async open() {
    const conversation = await this.#json(`${API}/conversations`, { method: "POST", body: { channel: "web" } });
    if (conversation.token) this.token = conversation.token;
    return conversation;
  }

  read(id) {
    return this.#json(`${API}/conversations/${encodeURIComponent(id)}`);
  }

  rate(id, rating) {
    return this.#json(`${API}/conversations/${encodeURIComponent(id)}/ratings`, { method: "POST", body: rating });
  }

  /** Calls `on[event](data)` for each event; resolves with the whole reply. Throws Failure, or AbortError when stopped. */
  async ask(id, text, on, signal, shown = [], confirmation = null) {
    const answer = await this.#fetch(`${API}/conversations/${encodeURIComponent(id)}/messages`, {
      method: "POST", body: { text, shown_suggestions: shown.slice(0, 10), ...place(), ...(confirmation ? { confirmation } : {}) },
      accept: "text/event-stream", signal,
    });
    try {
      for await (const { event, data } of readEvents(answer.body)) {
        if (event === "reply") return data;
        if (event === "error") throw ofProblem(data, 500);
        on[event]?.(data);
      }
    } catch (error) {
      if (error instanceof Failure || error.name === "AbortError") throw error;
    }
    throw new Failure("broken");
  }
}
