// How one message looks: text, sources, live data used, handoff, feedback, details, failures.
import { has, name, say, t } from "./i18n.js";
import { blocks, el, icon } from "./markdown.js";
import { bySource } from "./sources.js";
import { taskCard, taskEyebrow } from "./task.js";

const said = (tag, key, attributes = {}, values) => say(el(tag, attributes), key, values);
const percent = (x) => `${Math.round(x * 100)}%`;

export function customerMessage(text) {
  return el("article", { class: "message customer" }, said("h3", "you", { class: "unseen" }), el("div", { class: "bubble" }, text));
}

// what then worked in its place costs the customer nothing
const QUIET = new Set(["rewrite", "reranker"]);

/** The place where a reply grows. `onSource(n)` is what a mark `[n]` does. */
export class ReplyView {
  #frame = 0;
  #text = "";

  constructor(role = "assistant") {
    this.body = el("div", { class: "prose" });
    this.wait = el("div", { class: "wait" }, el("i"), el("i"), el("i"), said("span", "thinking", { class: "unseen" }));
    this.content = el("div", { class: "content" }, said("h3", role, { class: "unseen" }), this.wait, this.body);
    this.node = el("article", { class: `message ${role}` }, el("span", { class: "avatar" }, icon(role === "agent" ? "person" : "mark")), this.content);
  }

  get text() {
    return this.#text;
  }

  add(text) {
    this.#set(this.#text + text);
    this.node.classList.add("growing");
  }

  reset() {
    this.#set("");
    this.wait.hidden = false;
  }

  /** Show a finished text at once. */
  settle(text, cite) {
    cancelAnimationFrame(this.#frame);
    this.#text = text;
    this.wait.hidden = true;
    this.node.classList.remove("growing");
    this.body.replaceChildren(...blocks(text, cite));
  }

  stopped() {
    this.settle(this.#text);
    this.content.append(said("p", "stopped", { class: "aside" }));
  }

  #set(text) {
    this.#text = text;
    this.wait.hidden = Boolean(text);
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.body.replaceChildren(...blocks(this.#text, (n) => el("span", { class: "cite" }, String(n))));
      this.onGrow?.();
    });
  }

  /** Everything that the whole reply says. `on` holds `ask(text)` and `rate(value, reason)`. */
  finish(reply, on) {
    const sources = bySource(reply.citations);
    const cards = sources.map(sourceCard);
    const cite = (n) => {
      const card = cards[sources.findIndex((source) => source.numbers.includes(n))];
      if (!card) return null;
      const mark = name(el("button", { type: "button", class: "cite" }, String(n)), "showSource", { n });
      mark.addEventListener("click", () => {
        card.open = true;
        card.scrollIntoView({ block: "nearest", behavior: "smooth" });
        card.querySelector("summary").focus({ preventScroll: true });
      });
      return mark;
    };
    this.settle(reply.text, cite);
    const parts = [];
    if (reply.decision === "clarify") this.content.insertBefore(said("p", "clarify", { class: "eyebrow" }), this.body);
    if (reply.task) this.content.insertBefore(taskEyebrow(reply.task), this.body);
    else if (reply.decision === "act") this.content.insertBefore(el("p", { class: "eyebrow done" }, icon("check"), said("span", "act")), this.body);
    if (reply.task?.confirmation) parts.push(this.#card(reply.task, reply.text, on.ask, cite));
    if (reply.handoff) parts.push(handoffCard(reply.handoff, on.ask));
    if (reply.state_used.length) {
      const chips = reply.state_used.map((id) => el("li", { class: "chip" }, id));
      parts.push(el("div", { class: "state" }, icon("live"), said("span", "stateUsed"), el("ul", {}, ...chips)));
    }
    if (cards.length) parts.push(el("section", { class: "sources" }, said("h4", "sources", { class: "eyebrow" }), ...cards));
    for (const step of reply.degraded ?? []) if (!QUIET.has(step)) parts.push(degradedNote(step));
    const quoted = reply.model === null && cards.length > 0 && !reply.degraded?.includes("llm");
    if (quoted) parts.push(said("p", "degraded_llm", { class: "aside" }));
    parts.push(footRow(reply, on));
    const offers = offered(reply, on.ask);
    if (offers) parts.push(offers);
    this.content.append(...parts);
  }

  /** After a reload: the card of a summary that still awaits its yes. */
  showTask(task, ask) {
    this.content.insertBefore(taskEyebrow(task), this.body);
    this.content.append(this.#card(task, this.#text, ask));
  }

  #card(task, text, ask, cite) {
    const start = text.indexOf(`**${task.title}**`); // from there on the card says the same
    if (start >= 0) this.settle(text.slice(0, start), cite);
    return taskCard(task, ask);
  }

  /** A failure under whatever has come so far; `retry` asks again. */
  fail(failure, retry) {
    this.settle(this.#text);
    const [title, detail] = {
      broken: ["brokenTitle", "broken"],
      unreachable: ["unreachableTitle", "unreachable"],
      unauthenticated: ["failedTitle", "expired"],
    }[failure.kind] ?? ["failedTitle", null];
    const again = said("button", "retry", { type: "button", class: "button" });
    again.addEventListener("click", retry);
    const words = detail ? said("p", detail) : el("p", {}, failure.detail || t("unreachable"));
    const trace = failure.trace ? said("small", "traceShort", {}, { id: failure.trace.slice(0, 12) }) : null;
    this.content.append(
      el("div", { class: "failure", role: "alert" }, icon("alert"), el("div", {}, said("strong", title), words, trace), again),
    );
    again.focus({ preventScroll: true });
  }
}

function sourceCard({ citation, numbers, quotes }) {
  // the title of a resolved case is what another customer wrote
  const what = citation.conversation_id ? said("span", "fromCase", { class: "what" }) : el("span", { class: "what" }, citation.title || citation.article_id || "—");
  return el(
    "details",
    { class: "source" },
    el("summary", {}, ...numbers.map((number) => el("span", { class: "number" }, String(number))), what, icon("chevron")),
    ...quotes.map((quote) => el("blockquote", {}, quote)),
  );
}

function handoffCard(handoff, ask) {
  const stay = said("button", "handoffDecline", { type: "button", class: "quiet decline" });
  stay.addEventListener("click", () => ask(t("handoffDeclineSays")));
  const key = `reason_${handoff.reason}`;
  return el(
    "section",
    { class: "handoff" },
    el("header", {}, icon("person"), said("strong", "handoff")),
    el(
      "dl",
      {},
      said("dt", "handoffReason"),
      has(key) ? said("dd", key) : el("dd", {}, handoff.reason),
      said("dt", "handoffSummary"),
      el("dd", {}, handoff.summary),
    ),
    stay,
  );
}

function degradedNote(step) {
  const key = `degraded_${step}`;
  const words = has(key) ? said("span", key) : said("span", "degraded_other", {}, { name: step });
  return el("p", { class: "degraded" }, icon("alert"), words);
}

function offered(reply, ask) {
  if (!reply.suggested_questions.length) return null;
  const items = reply.suggested_questions.map((text) => el("li", {}, questionButton(text, ask)));
  return el("section", { class: "offers" }, said("h4", reply.decision === "clarify" ? "choose" : "more", { class: "eyebrow" }), el("ul", {}, ...items));
}

export function questionButton(text, ask) {
  const button = el("button", { type: "button", class: "offer" }, el("span", {}, text), icon("chevron"));
  button.addEventListener("click", () => ask(text));
  return button;
}

function footRow(reply, on) {
  const up = name(el("button", { type: "button", class: "thumb", "aria-pressed": "false" }, icon("up")), "helpful");
  const down = name(el("button", { type: "button", class: "thumb", "aria-pressed": "false" }, icon("down")), "unhelpful");
  const note = el("span", { class: "thanks", role: "status" });
  const form = reasonForm();
  const press = async (value, reason) => {
    try {
      await on.rate(value, reason);
    } catch {
      say(note, "rateFailed");
      return;
    }
    up.setAttribute("aria-pressed", String(value === 1));
    down.setAttribute("aria-pressed", String(value === -1));
    form.hidden = true;
    say(note, "thanks");
  };
  up.addEventListener("click", () => press(1, null));
  down.addEventListener("click", () => {
    form.hidden = !form.hidden;
    down.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) form.querySelector("input").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    press(-1, [...data.getAll("why"), data.get("other").trim()].filter(Boolean).join("；") || null);
  });
  form.querySelector("[data-cancel]").addEventListener("click", () => {
    form.hidden = true;
    down.focus();
  });
  return el("div", { class: "foot" }, el("div", { class: "foot-row" }, up, down, note, detailsOf(reply)), form);
}

function reasonForm() {
  const keys = ["reasonUnsolved", "reasonWrong", "reasonUnclear", "reasonPerson"];
  const choices = keys.map((key) => el("label", { class: "choice" }, el("input", { type: "checkbox", name: "why", value: t(key) }), said("span", key)));
  const other = el("input", { name: "other", maxlength: "500", autocomplete: "off" });
  other.dataset.i18nPlaceholder = "otherReason";
  other.placeholder = t("otherReason");
  other.setAttribute("aria-label", t("otherReason"));
  other.dataset.i18nLabel = "otherReason";
  return el(
    "form",
    { class: "why", hidden: true },
    said("p", "whyNot", { class: "eyebrow" }),
    el("div", { class: "choices" }, ...choices),
    other,
    el("div", { class: "buttons" }, said("button", "submit", { class: "button" }), said("button", "cancel", { type: "button", class: "quiet", "data-cancel": true })),
  );
}

function detailsOf(reply) {
  const rows = [[said("dt", "confidence"), el("dd", {}, el("meter", { min: "0", max: "1", value: String(reply.confidence) }), percent(reply.confidence))]];
  rows.push([said("dt", "model"), reply.model ? el("dd", {}, reply.model) : said("dd", "extractive")]);
  for (const [stage, ms] of Object.entries(reply.timings_ms)) {
    const key = `stage_${stage}`;
    rows.push([has(key) ? said("dt", key) : el("dt", {}, stage), el("dd", {}, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`)]);
  }
  rows.push([said("dt", "trace"), el("dd", { class: "mono" }, reply.trace_id)]);
  return el("details", { class: "facts" }, el("summary", {}, said("span", "details")), el("dl", {}, ...rows.flat()));
}
