// The agent desk: who waits, one conversation with its record and live state, draft, send, resolve, flag.
import { Failure } from "./client.js";
import { has, language, say, t, tierWord } from "./i18n.js";
import { el } from "./markdown.js";
import { bySource } from "./sources.js";
import { $, begin, call, emptyBox, failureBox, flagDialog, loadingBox, percent, said, span, toast, turnNodes, when, who, word, wordNode, wordsOf } from "./staff.js";

const QUEUE_MS = 4000;
const TALK_MS = 3000;
let entries = [];
let skew = 0; // the service's clock less ours
let open = null; // { id, entry, turns, status, draft, typed }
let state = null; // { id, answer, error }
const typed = new Map(); // what was written but not sent, by conversation

// --- the queue ---
async function readQueue() {
  try {
    const answer = await call("/handoffs");
    $("stale").hidden = true;
    skew = Date.parse(answer.at) - Date.now();
    entries = answer.entries;
    showQueue();
  } catch (error) {
    if (error.status === 401) return;
    $("stale").hidden = false;
    if (!entries.length) $("queue").replaceChildren(failureBox(error, readQueue));
  }
}

function waitOf(entry) {
  return entry.waiting_since ? t("waits", { time: span(Date.now() + skew - Date.parse(entry.waiting_since)) }) : t("answered");
}

function showQueue() {
  $("count").hidden = !entries.length;
  $("count").textContent = String(entries.length);
  const focused = document.activeElement?.dataset?.talk;
  const rows = entries.map((entry) => {
    const { handoff } = entry;
    const tags = [wordNode("span", "why", handoff.reason, { class: "chip" }), wordNode("span", "skill", handoff.skill, { class: "chip plain" }), said("span", `lang_${entry.locale}`, { class: "chip plain" })];
    if (handoff.mood && handoff.mood !== "neutral") tags.push(wordNode("span", "mood", handoff.mood, { class: "chip hot" }));
    const button = el("button", { type: "button", class: "row", "data-talk": entry.conversation_id, "aria-current": entry.conversation_id === open?.id ? "true" : false },
      el("span", { class: "row-top" }, el("b", {}, entry.name || entry.user_id || t("visitorName")), entry.tier ? el("span", { class: `tier ${entry.tier}` }, tierWord(entry.tier)) : null, el("span", { class: `soft end${entry.waiting_since ? " due" : ""}` }, waitOf(entry))),
      el("span", { class: "row-text" }, handoff.issue || entry.last), el("span", { class: "chips" }, ...tags));
    button.addEventListener("click", () => openTalk(entry.conversation_id));
    return el("li", {}, button);
  });
  $("queue").replaceChildren(rows.length ? el("ul", { class: "rows" }, ...rows) : emptyBox("queueEmpty", "queueEmptyNote"));
  if (focused) document.querySelector(`[data-talk="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// --- one conversation ---
async function openTalk(id) {
  if (open) typed.set(open.id, $("reply").value);
  open = { id, entry: entries.find((e) => e.conversation_id === id), turns: -1, status: "", draft: null };
  document.body.classList.add("talking");
  $("no-talk").hidden = true;
  $("talk").hidden = false;
  $("side-pane").hidden = false;
  $("reply").value = typed.get(id) ?? "";
  for (const place of ["reply-error", "resolve-error"]) $(place).textContent = "";
  $("summary").value = "";
  $("resolve-form").hidden = true;
  $("draft-card").hidden = true;
  $("turns").replaceChildren(loadingBox());
  $("record").replaceChildren();
  showQueue();
  await Promise.all([readTalk(), readState()]);
  $("talk-name").focus({ preventScroll: true });
}

async function readTalk() {
  const mine = open;
  if (!mine) return;
  try {
    const talk = await call(`/conversations/${encodeURIComponent(mine.id)}`);
    if (open !== mine) return;
    if (talk.turns.length === mine.turns && talk.status === mine.status) return;
    const first = mine.turns < 0;
    Object.assign(mine, { turns: talk.turns.length, status: talk.status, talk });
    showTalk();
    const log = $("turns");
    if (first || log.scrollHeight - log.scrollTop - log.clientHeight < 400) log.scrollTop = log.scrollHeight;
  } catch (error) {
    if (open === mine && mine.turns < 0 && error.status !== 401) $("turns").replaceChildren(failureBox(error, readTalk));
  }
}

function showTalk() {
  const { talk, entry } = open;
  $("talk-name").textContent = entry?.name || talk.user_id || t("visitorName");
  $("talk-status").textContent = talk.status === "closed" ? t("closedWord") : talk.status === "open" ? t("openWord") : "";
  $("turns").replaceChildren(...turnNodes(talk.turns));
  const closed = talk.status === "closed";
  $("reply-form").hidden = closed;
  if (closed) $("resolve-form").hidden = $("draft-card").hidden = true;
  $("record").replaceChildren(recordNode(talk.handoffs.at(-1)));
}

function recordNode(handoff) {
  if (!handoff) return el("div");
  const rows = [];
  const row = (key, ...nodes) => rows.push(said("dt", key), ...nodes.map((node) => (node instanceof Node && node.tagName === "DD" ? node : el("dd", {}, node))));
  row("issue", el("dd", { class: "strong" }, handoff.issue || handoff.summary));
  row("reason", wordNode("dd", "why", handoff.reason));
  row("skill", wordNode("dd", "skill", handoff.skill));
  if (handoff.mood) row("mood", wordNode("dd", "mood", handoff.mood));
  if (handoff.question && handoff.question !== handoff.issue) row("openQuestion", handoff.question);
  if (handoff.tried.length) row("tried", ...handoff.tried);
  else row("tried", said("dd", "noTried"));
  if (handoff.state.length) row("recordsUsed", el("dd", { class: "chips" }, ...handoff.state.map((id) => el("span", { class: "chip" }, id))));
  if (handoff.task) {
    const parts = Object.entries(handoff.task.parameters).map(([name, value]) => `${name}: ${value}`);
    row("taskToDo", el("dd", { class: "strong" }, handoff.task.title), ...parts, `${t("permission")}: ${handoff.task.permission}`);
  }
  const whole = el("details", {}, said("summary", "summaryWord"), el("p", { class: "pre" }, handoff.summary));
  return el("section", { class: "card" }, said("h3", "record"), el("dl", {}, ...rows), whole);
}

// --- the customer's live state ---
async function readState() {
  const id = open?.id;
  if (!id) return;
  $("state").replaceChildren(loadingBox());
  try {
    state = { id, answer: await call(`/conversations/${encodeURIComponent(id)}/state`), at: Date.now() };
  } catch (error) {
    state = { id, error };
  }
  if (open?.id === id) showState();
}

function showState() {
  if (!state || state.id !== open?.id) return;
  if (state.error) return $("state").replaceChildren(failureBox(state.error, readState));
  const { state: live, why, words } = state.answer;
  const age = said("small", "justNow", { class: "soft", id: "state-age" });
  const again = said("button", "refresh", { type: "button", class: "quiet" });
  again.addEventListener("click", readState);
  const parts = [el("header", { class: "spread" }, said("h3", "liveState"), live ? age : null, again)];
  if (!live) parts.push(said("p", why === "visitor" ? "noState" : "stateDown", { class: "soft" }));
  else {
    if (live.known === false) parts.push(said("p", "unknownUser", { class: "soft" }));
    if (live.unavailable.length) parts.push(said("p", "stateMissing", { class: "error" }, { names: live.unavailable.join(", ") }));
    if (!live.entities.length) parts.push(said("p", "stateEmpty", { class: "soft" }));
    const matters = new Set(open.talk?.handoffs.at(-1)?.state ?? []);
    const order = live.entities.map((entity, n) => ({ entity, text: words[n] })).sort((a, b) => Number(matters.has(b.entity.id)) - Number(matters.has(a.entity.id)) || String(b.entity.occurred_at ?? "").localeCompare(String(a.entity.occurred_at ?? "")));
    const line = ({ entity, text }) => el("li", { class: matters.has(entity.id) ? "thing matters" : "thing" },
      el("span", { class: "row-top" }, el("b", {}, text.kind[language()]), el("span", { class: "soft" }, entity.id), el("span", { class: "chip end" }, text.status[language()])),
      el("span", {}, [entity.title, entity.amount ? `${entity.amount} ${entity.currency ?? ""}` : ""].filter(Boolean).join(" · ")),
      el("small", { class: "soft" }, [entity.occurred_at ? `${t("happened")} ${when(entity.occurred_at)}` : "", entity.due_at ? `${t("due")} ${when(entity.due_at)}` : ""].filter(Boolean).join(" · ")));
    parts.push(el("ul", { class: "things" }, ...order.map(line)));
  }
  $("state").replaceChildren(el("section", { class: "card" }, ...parts));
}

function tickAges() {
  const age = $("state-age");
  if (age && state?.at) age.textContent = Date.now() - state.at < 5000 ? t("justNow") : t("asOf", { time: span(Date.now() - state.at) });
}

// --- drafts and replies ---
async function makeDraft() {
  const mine = open;
  say($("make-draft"), "drafting");
  $("make-draft").disabled = true;
  $("reply-error").textContent = "";
  try {
    const draft = await call(`/conversations/${encodeURIComponent(mine.id)}/drafts`, {});
    if (open !== mine) return;
    const untouched = !$("reply").value.trim() || $("reply").value === mine.draft?.text;
    mine.draft = draft;
    if (untouched) $("reply").value = draft.text;
    showDraft(!untouched);
    $("reply").focus();
  } catch (error) {
    if (open === mine) $("reply-error").textContent = wordsOf(error);
  } finally {
    $("make-draft").disabled = false;
    say($("make-draft"), "makeDraft");
  }
}

function showDraft(held = false) {
  const draft = open?.draft;
  $("draft-card").hidden = !draft;
  if (!draft) return;
  const notes = [];
  if (held) {
    const use = said("button", "useDraft", { type: "button", class: "button second" });
    use.addEventListener("click", () => { $("reply").value = draft.text; showDraft(); $("reply").focus(); });
    notes.push(said("p", "draftHeld", { class: "soft" }), el("p", { class: "pre" }, draft.text), use);
  }
  if (has(`draftIs_${draft.decision}`)) notes.push(said("p", `draftIs_${draft.decision}`, { class: "error" }));
  if (draft.degraded.length) notes.push(said("p", "draftDegraded", { class: "error" }, { names: draft.degraded.join(", ") }));
  if (draft.to_check.length) notes.push(el("div", { class: "check" }, said("p", "draftCheck"), el("ul", {}, ...draft.to_check.map((sentence) => el("li", {}, sentence)))));
  const sources = bySource(draft.citations).map(({ citation, quotes }) => {
    const flag = citation.article_id ? said("button", "flagArticle", { type: "button", class: "quiet" }) : null;
    flag?.addEventListener("click", () => flagDialog(citation.article_id, citation.title));
    const about = citation.article_id ?? `${t("fromCaseWord")} ${citation.conversation_id ?? ""}`;
    return el("details", { class: "source" }, el("summary", {}, el("span", { class: "what" }, citation.title || about)), ...quotes.map((quote) => el("blockquote", {}, quote)), el("div", { class: "buttons spread" }, el("small", {}, about), flag));
  });
  const drop = said("button", "dropDraft", { type: "button", class: "quiet end" });
  drop.addEventListener("click", dropDraft);
  const head = el("header", { class: "spread" }, said("h3", "draftFrom"), said("small", "sureness", { class: "soft" }, { n: percent(draft.confidence) }), drop);
  $("draft-card").replaceChildren(el("section", { class: "card draft" }, head, ...notes, ...(sources.length ? sources : [said("p", "draftNone", { class: "error" })])));
}

const decide = (draft, body) => call(`/conversations/${encodeURIComponent(draft.conversation_id)}/drafts/${encodeURIComponent(draft.id)}/decision`, body);

async function dropDraft() {
  const { draft } = open;
  try {
    await decide(draft, { rejected: true });
    toast(t("dropped"));
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "draft-settled") return toast(wordsOf(error), true);
  }
  if ($("reply").value === draft.text) $("reply").value = "";
  open.draft = null;
  showDraft();
  $("reply").focus();
}

let sending = false;
async function send(event) {
  event.preventDefault();
  const text = $("reply").value.trim();
  const mine = open;
  $("reply-error").textContent = text ? (text.length > 4000 ? t("tooLongReply") : "") : t("emptyReply");
  if (!text || text.length > 4000 || sending) return;
  sending = true;
  $("send-reply").disabled = true;
  try {
    if (mine.draft) toast(t(`verdict_${(await decide(mine.draft, { sent: text })).verdict}`));
    else {
      await call(`/conversations/${encodeURIComponent(mine.id)}/agent-messages`, { text });
      toast(t("sent"));
    }
    typed.delete(mine.id);
    mine.draft = null;
    if (open === mine) {
      $("reply").value = "";
      showDraft();
      await readTalk();
    }
    readQueue();
  } catch (error) {
    if (error.kind === "draft-settled") { mine.draft = null; showDraft(); }
    const broke = ["unreachable", "broken"].includes(error.kind);
    // a decision on a draft may be sent again safely; plain words would then be said twice
    $("reply-error").textContent = error.kind === "draft-settled" ? t("draftSettled") : broke && !mine.draft ? t("maybeSent") : wordsOf(error);
  } finally {
    sending = false;
    $("send-reply").disabled = false;
  }
}

async function resolve(event) {
  event.preventDefault();
  const summary = $("summary").value.trim();
  const mine = open;
  $("resolve-error").textContent = summary ? "" : t("resolveEmpty");
  if (!summary) return;
  const ids = [...new Set((mine.draft?.citations ?? []).map((c) => c.article_id).filter(Boolean))];
  try {
    await call(`/conversations/${encodeURIComponent(mine.id)}/resolve`, { summary, article_ids: ids });
    toast(t("resolved"));
  } catch (error) {
    if (error.kind !== "conflict") { $("resolve-error").textContent = wordsOf(error); return; }
    toast(t("alreadyResolved"), true);
  }
  await Promise.all([readTalk(), readQueue()]);
}

function leave() {
  if (open) typed.set(open.id, $("reply").value);
  const id = open?.id;
  open = null;
  document.body.classList.remove("talking");
  $("talk").hidden = $("side-pane").hidden = true;
  $("no-talk").hidden = false;
  $("no-talk").replaceChildren(emptyBox("pick", "pickNote"));
  showQueue();
  if (id) (document.querySelector(`[data-talk="${CSS.escape(id)}"]`) ?? $("queue-title")).focus?.();
}

$("back").addEventListener("click", leave);
$("make-draft").addEventListener("click", makeDraft);
$("reply-form").addEventListener("submit", send);
$("reply").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) { event.preventDefault(); $("reply-form").requestSubmit(); }
});
$("resolve").addEventListener("click", () => {
  $("resolve-form").hidden = !$("resolve-form").hidden;
  $("resolve").setAttribute("aria-expanded", String(!$("resolve-form").hidden));
  if (!$("resolve-form").hidden) $("summary").focus();
});
$("resolve-form").addEventListener("submit", resolve);

const live = () => who.role && !document.hidden;
setInterval(() => { if (live()) readQueue(); }, QUEUE_MS);
setInterval(() => { if (live() && open) readTalk(); }, TALK_MS);
setInterval(tickAges, 1000);

await begin("deskTitle", async () => {
  leave();
  $("queue").replaceChildren(loadingBox());
  await readQueue();
}, () => { showQueue(); if (open?.talk) { showTalk(); showState(); showDraft(); } });
