// The knowledge desk: gaps, drafted articles under review, stocktake, evaluation runs.
import { t } from "./i18n.js";
import { blocks, el } from "./markdown.js";
import { $, begin, call, emptyBox, failureBox, flagDialog, loadingBox, said, toast, turnNodes, when, who, wordNode, word, wordsOf } from "./staff.js";

const DIFF_LONGEST = 1500; // words; longer texts are compared line by line
let tab = "gaps";
let chosen = null; // id of the item under review
let closedToo = false;
let stock = null;
let turn = 0; // a later look replaces an earlier one that is still loading

const figure = (value) => (value === null || value === undefined ? t("unscored") : value.toFixed(3));
const signed = (value) => (value === null || value === undefined ? "–" : `${value > 0 ? "+" : ""}${value.toFixed(3)}`);
const act = (node, doing) => { node.addEventListener("click", doing); return node; };
const button = (key, doing, kind = "button", values) => act(said("button", key, { type: "button", class: kind }, values), doing);
const note = (text) => el("p", { class: "soft" }, text);
const titled = (key, ...nodes) => el("section", { class: "card stack" }, said("h3", key), ...nodes);

/** Fill the panel with what `read` gives, with words while it loads and when it fails. */
async function show(read, place = $("panel")) {
  const mine = ++turn;
  place.replaceChildren(loadingBox());
  try {
    const nodes = await read();
    if (mine === turn) place.replaceChildren(...nodes);
  } catch (error) {
    if (mine === turn && error.status !== 401) place.replaceChildren(failureBox(error, () => show(read, place)));
  }
}

// --- conversations, one click away ---
async function openTalk(id) {
  $("talk-name").textContent = id;
  $("turns").replaceChildren(loadingBox());
  if (!$("talk").open) $("talk").showModal();
  try {
    let talk;
    try {
      talk = await call(`/transcripts/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error.status !== 404) throw error;
      talk = await call(`/conversations/${encodeURIComponent(id)}`); // a live one, not yet a transcript
    }
    $("turns").replaceChildren(...turnNodes(talk.turns));
  } catch (error) {
    $("turns").replaceChildren(error.status === 404 ? said("p", "noTalk", { class: "soft" }) : failureBox(error, () => openTalk(id)));
  }
}
const talkLinks = (ids) => el("div", { class: "chips" }, ...ids.map((id) => act(el("button", { type: "button", class: "link" }, id), () => openTalk(id))));

// --- gaps ---
async function gaps() {
  const found = await call("/gaps");
  if (!found.gaps.length) return [emptyBox("gapsNone", "gapsNoneNote", "teachback eval cases --out cases.jsonl", "teachback eval gaps cases.jsonl")];
  const card = (gap) => {
    const causes = Object.entries(gap.causes).map(([cause, n]) => el("span", { class: "chip" }, `${word("cause", cause)} ${n}`));
    const facts = [t("gapCases", { n: gap.cases.length }), t("gapMinutes", { n: Math.round(gap.minutes) })];
    if (gap.low_ratings) facts.push(t("gapLow", { n: gap.low_ratings }));
    const review = gap.review ? button("toReview", () => { chosen = gap.review.id; closedToo = !["proposed", "accepted", "edited"].includes(gap.review.status); go("review"); }, "link") : null;
    const state = gap.review ? t("reviewState", { state: word("status", gap.review.status) }) : t("noDraftYet");
    return el("li", { class: "card stack" }, el("b", {}, gap.name), el("div", { class: "chips" }, ...causes), note(facts.join(" · ")),
      el("div", { class: "spread" }, said("span", "talks", { class: "soft" }), talkLinks(gap.conversations)), el("div", { class: "spread" }, note(state), review));
  };
  return [said("p", "gapsFrom", { class: "soft" }, { at: when(found.at), cases: found.cases, failed: found.failed }), el("ul", { class: "list" }, ...found.gaps.map(card))];
}

// --- review ---
async function review() {
  const { items } = await call(`/reviews${closedToo ? "?all=true" : ""}`);
  const box = el("input", { type: "checkbox", checked: closedToo });
  box.addEventListener("change", () => { closedToo = box.checked; show(review); });
  const head = el("label", { class: "spread" }, box, said("span", "showClosed"));
  if (!items.length) return [head, emptyBox("reviewNone", "reviewNoneNote", "teachback review draft --top 10")];
  const detail = el("div", {});
  const rows = items.map((item) => {
    const row = el("button", { type: "button", class: "row", "data-item": item.id }, el("span", { class: "row-text" }, item.article.title), el("span", { class: "chips" }, wordNode("span", "status", item.status, { class: "chip" }), said("span", item.article.audience, { class: "chip plain" })));
    return el("li", {}, act(row, () => { chosen = item.id; mark(); showItem(detail); if (innerWidth < 700) detail.scrollIntoView(); }));
  });
  const list = el("ul", { class: "rows" }, ...rows);
  const mark = () => { for (const row of list.querySelectorAll("[data-item]")) row.setAttribute("aria-current", String(row.dataset.item === chosen)); };
  if (!items.some((item) => item.id === chosen)) chosen = items[0].id;
  mark();
  showItem(detail);
  return [head, el("div", { class: "two" }, list, detail)];
}

async function showItem(place, edited = null) {
  const id = chosen;
  if (!edited) place.replaceChildren(loadingBox());
  try {
    const item = edited ?? await call(`/reviews/${encodeURIComponent(id)}`);
    if (id === chosen) place.replaceChildren(itemNode(item));
  } catch (error) {
    if (id === chosen) place.replaceChildren(failureBox(error, () => showItem(place)));
  }
}

function itemNode(item) {
  const { article } = item;
  const drafted = item.history.find((event) => event.action === "drafted")?.article;
  const text = el("div", { class: "card" }, el("div", { class: "prose" }, ...blocks(article.body, () => null)));
  const parts = [el("h2", {}, article.title), el("div", { class: "chips" }, wordNode("span", "status", item.status, { class: "chip" }), said("span", article.audience, { class: "chip plain" })), text];
  if (article.questions.length) parts.push(titled("questionsWord", el("ul", {}, ...article.questions.map((q) => el("li", {}, q)))));
  if (drafted && textOf(drafted) !== textOf(article)) parts.push(titled("changes", el("p", { class: "pre" }, ...diff(textOf(drafted), textOf(article)))));
  parts.push(titled("fromTalks", talkLinks([...new Set(item.written_from.map((source) => source.conversation_id))]), note(t("draftedBy", { by: item.drafted_by === "resolution" ? t("byResolution") : item.drafted_by }))));
  parts.push(predictionNode(item));
  if (item.outcome) parts.push(titled("outcomeWord", el("pre", {}, JSON.stringify(item.outcome, null, 1))));
  parts.push(deciding(item));
  const events = item.history.map((event) => el("li", {}, el("span", { class: "soft" }, `${when(event.at)} · ${event.who} · `), wordNode("span", "action", event.action), event.note ? `: ${event.note}` : null));
  parts.push(titled("history", el("ul", {}, ...events)));
  return el("article", { class: "item" }, ...parts);
}

const textOf = (article) => `${article.title}\n\n${article.body}`;

function predictionNode(item) {
  const p = item.prediction;
  if (!p) return titled("prediction", said("p", "predictionNone", { class: "soft" }), el("pre", {}, el("code", {}, `teachback review replay ${item.id}`)));
  const rows = [el("p", {}, t("predictedOn", { n: p.cases, before: figure(p.before), after: figure(p.after) })), note(t("interval", { low: signed(p.low), high: signed(p.high) }))];
  const list = (key, ids) => el("div", { class: "spread" }, said("b", key), ids.length ? el("span", { class: "soft" }, `${ids.length}: ${ids.join(", ")}`) : said("span", "none", { class: "soft" }));
  rows.push(list("gains", p.gains), list("regressions", p.regressions), list("marked", p.marked), list("duplicates", p.duplicates));
  rows.push(list("contradictions", p.contradictions.map(([other, ours, theirs]) => t("against", { other, ours, theirs }))));
  return titled("prediction", ...rows);
}

function deciding(item) {
  if (!["proposed", "accepted", "edited"].includes(item.status)) return el("div");
  if (who.role !== "manager") return said("p", "managerOnly", { class: "soft" });
  const error = el("p", { class: "error", role: "alert" });
  const decide = async (action, body) => {
    try {
      const after = await call(`/reviews/${encodeURIComponent(item.id)}/${action}`, body);
      toast(action === "publish" ? t("published") : t("decided", { state: word("status", after.status) }));
      if (["published", "rejected"].includes(after.status)) closedToo = true;
      chosen = item.id;
      show(review);
    } catch (failure) {
      error.textContent = wordsOf(failure);
    }
  };
  const audience = el("select", { class: "box" }, ...["public", "internal"].map((name) => said("option", name, { value: name, selected: name === item.article.audience })));
  const title = el("input", { class: "box", value: item.article.title });
  const body = el("textarea", { class: "box", rows: "10" });
  body.value = item.article.body;
  const questions = el("textarea", { class: "box", rows: "3" });
  questions.value = item.article.questions.join("\n");
  const save = () => {
    if (!title.value.trim() || !body.value.trim()) { error.textContent = t("required"); return; }
    const lines = questions.value.split("\n").map((line) => line.trim()).filter(Boolean);
    decide("edit", { article: { ...item.article, title: title.value.trim(), body: body.value, questions: lines, audience: audience.value } });
  };
  const field = (key, control) => el("label", { class: "stack" }, said("span", key, { class: "soft" }), control);
  const form = el("div", { class: "stack", hidden: true }, field("articleTitle", title), field("articleBody", body), field("questionsHint", questions), button("save", save));
  const why = el("input", { class: "box", maxlength: "2000" });
  const refusal = el("div", { class: "stack", hidden: true }, field("rejectWhy", why), button("reject", () => decide("reject", { note: why.value.trim() })));
  const toggle = (part, other) => () => { part.hidden = !part.hidden; other.hidden = true; if (!part.hidden) part.querySelector("input").focus(); };
  const row = el("div", { class: "buttons" }, button("accept", () => decide("accept", { audience: audience.value })), button("edit", toggle(form, refusal), "button second"), button("reject", toggle(refusal, form), "quiet"));
  const nodes = [field("audience", audience), row, form, refusal];
  if (item.status !== "proposed") {
    const anyway = el("input", { type: "checkbox" });
    const publish = button("publish", () => {
      if (!item.prediction && !anyway.checked) { error.textContent = t("needReplay"); return; }
      decide("publish", { without_replay: anyway.checked });
    });
    if (!item.prediction) nodes.push(el("label", { class: "spread" }, anyway, said("span", "publishAnyway")));
    nodes.push(el("div", { class: "buttons" }, publish));
  }
  return el("section", { class: "card stack" }, ...nodes, error);
}

/** What changed from one text to another, as nodes: kept words, `ins` and `del`. By the longest common subsequence. */
function diff(before, after) {
  const cut = (text, finest) => text.match(finest ? /[A-Za-z0-9.]+|\s+|[^]/gu : /[^\n]*\n|[^\n]+/g) ?? [];
  let [a, b] = [cut(before, true), cut(after, true)];
  if (Math.max(a.length, b.length) > DIFF_LONGEST) [a, b] = [cut(before, false), cut(after, false)];
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) for (let j = b.length - 1; j >= 0; j -= 1) best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
  const runs = [];
  const add = (kind, piece) => { if (runs.at(-1)?.kind === kind) runs.at(-1).text += piece; else runs.push({ kind, text: piece }); };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add("same", a[i]); i += 1; j += 1; }
    else if (i < a.length && (j === b.length || best[i + 1][j] >= best[i][j + 1])) { add("del", a[i]); i += 1; }
    else { add("ins", b[j]); j += 1; }
  }
  return runs.map(({ kind, text }) => (kind === "same" ? text : el(kind, {}, text)));
}

// --- stocktake ---
async function stocktake() {
  if (!stock) return [said("p", "stockNote", { class: "soft" }), button("stockStart", takeStock)];
  const s = stock;
  const article = (id) => el("b", {}, s.titles?.[id] || id);
  const line = (...nodes) => el("li", { class: "spread" }, ...nodes);
  const block = (key, items) => titled(key, items.length ? el("ul", { class: "list" }, ...items) : said("p", "none", { class: "soft" }));
  const clash = (c) => line(article(c.article_id), note(`↔ ${c.other}: ${t("saysOther", { ours: c.ours, theirs: c.theirs })}`));
  const flagged = s.flagged.map((flag) => {
    const done = who.role === "manager" ? button("settle", async () => {
      try {
        await call(`/flags/${encodeURIComponent(flag.id)}/settle`, {});
        stock = { ...s, flagged: s.flagged.filter((other) => other.id !== flag.id) };
        toast(t("settled"));
        show(stocktake);
      } catch (error) { toast(wordsOf(error), true); }
    }, "quiet") : null;
    return line(article(flag.article_id), wordNode("span", "flag", flag.reason, { class: "chip" }), note([flag.note, flag.who, when(flag.at)].filter(Boolean).join(" · ")), done);
  });
  const flagIt = (id) => button("flagArticle", () => flagDialog(id, s.titles?.[id]), "quiet");
  return [
    el("div", { class: "spread" }, note(t("stockDone", { at: when(s.at), n: s.articles })), button("stockStart", takeStock, "button second")),
    el("div", { class: "list" },
      block("st_flagged", flagged),
      block("st_contradicted", s.contradicted_by_agents.map((c) => line(el("b", {}, c.title || c.article_id), talkLinks(c.conversations), flagIt(c.article_id)))),
      block("st_expired", s.expired.map((e) => line(article(e.article_id), note(t("validUntil", { at: when(e.valid_until) }))))),
      block("st_old", s.old.map((e) => line(article(e.article_id), note(t("updatedAt", { at: when(e.updated_at) })), flagIt(e.article_id)))),
      block("st_contradictory", s.contradictory.map(clash)),
      block("st_duplicates", s.duplicates.map(([one, two]) => line(article(one), note("↔"), article(two)))),
      s.never_used === null ? titled("st_never", said("p", "neverUnknown", { class: "soft" })) : block("st_never", s.never_used.map((id) => line(article(id)))))];
}
const takeStock = () => show(async () => { stock = await call("/stocktake"); return stocktake(); });

// --- runs ---
async function runs() {
  const found = await call("/runs");
  const broken = found.rejected.length ? [said("p", "runsBroken", { class: "error" }, { names: found.rejected.join(", ") })] : [];
  if (!found.runs.length) return [...broken, emptyBox("runsNone", "runsNoneNote", "teachback eval transfers cases.jsonl")];
  const row = (run) => {
    const between = run.low === null || run.high === null ? "" : ` (${figure(run.low)}–${figure(run.high)})`;
    const link = run.report ? button("download", () => download(run.id), "link") : said("span", "noReport", { class: "soft" });
    return el("tr", {}, el("td", {}, when(run.at)), el("td", {}, String(run.cases)), el("td", {}, String(run.scored)), el("td", {}, figure(run.accuracy) + between), el("td", {}, run.model || t("extractiveWord")), el("td", {}, link));
  };
  const head = ["runWhen", "runCases", "runScored", "runAccuracy", "runModel", "runReport"].map((key) => said("th", key, { scope: "col" }));
  return [...broken, el("div", { class: "table", tabindex: "0", role: "group" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...found.runs.map(row))))];
}

/** A file, not a page: the report carries its own styles, which the policy of this page would refuse. */
async function download(id) {
  try {
    const text = await call(`/runs/${encodeURIComponent(id)}/report`, undefined, { raw: true });
    const address = URL.createObjectURL(new Blob([text], { type: "text/html" }));
    const link = el("a", { href: address, download: `${id}.html` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  } catch (error) {
    toast(wordsOf(error), true);
  }
}

// --- tabs ---
const VIEWS = { gaps, review, stock: stocktake, runs };
const tabs = [...document.querySelectorAll("[data-tab]")];
function go(wanted) {
  tab = wanted;
  for (const each of tabs) {
    each.setAttribute("aria-selected", String(each.dataset.tab === tab));
    each.tabIndex = each.dataset.tab === tab ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", `tab-${tab}`);
  show(VIEWS[tab]);
}
for (const [n, each] of tabs.entries()) {
  each.addEventListener("click", () => go(each.dataset.tab));
  each.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(n + step + tabs.length) % tabs.length];
    go(next.dataset.tab);
    next.focus();
  });
}

await begin("knowledgeTitle", async () => { stock = null; go(tab); }, () => { if (![...$("panel").querySelectorAll("textarea")].some((box) => box.checkVisibility())) go(tab); }); // never lose an edit
