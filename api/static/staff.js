// What both staff pages share: the key, calls to the API, failures in words, dialogs, the language switch.
import { Failure, callJson } from "./client.js";
import { has, language, preferredLanguage, say, setLanguage, t } from "./i18n.js";
import { blocks, el } from "./markdown.js";
import "./words_desk.js";

const KEPT = "teachback.staffKey";
export const $ = (id) => document.getElementById(id);
export const said = (tag, key, attributes = {}, values) => say(el(tag, attributes), key, values);
export const percent = (x) => `${Math.round(x * 100)}%`;
export const API = "/api/v1";

let key = null;
let onSignIn = async () => {};
export const who = { role: null };

/** A word for a value that the service names; the value itself where we have none. */
export const word = (prefix, value) => (has(`${prefix}_${value}`) ? t(`${prefix}_${value}`) : String(value));
export const wordNode = (tag, prefix, value, attributes = {}) => (has(`${prefix}_${value}`) ? said(tag, `${prefix}_${value}`, attributes) : el(tag, attributes, String(value)));

export function when(text) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return String(text ?? "");
  return moment.toLocaleString(language() === "en" ? "en-GB" : "zh-CN", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}

export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("seconds", { n: s });
  if (s < 3600) return t("minutes", { n: Math.floor(s / 60) });
  if (s < 86400) return t("hours", { n: Math.floor(s / 3600) });
  return t("days", { n: Math.floor(s / 86400) });
}

/** JSON of a call with the staff key. A key that no longer holds brings the sign-in back. Throws Failure. */
export async function call(path, body, { raw = false } = {}) {
  const used = key;
  try {
    return await callJson(`${API}${path}`, { token: used, method: body === undefined ? "GET" : "POST", body, raw });
  } catch (error) {
    if (error instanceof Failure && error.status === 401 && used === key) signOut("keyWrong");
    throw error;
  }
}

/** A failure in words. */
export function wordsOf(error) {
  if (!(error instanceof Failure)) return t("notAvailable");
  if (error.kind === "unreachable" || error.kind === "broken") return t("unreachableOnce");
  if (error.status === 401) return t("keyWrong");
  return error.detail || t("notAvailable");
}

let toastTimer = 0;
/** Say what came of something; `bad` is said at once and stays longer. */
export function toast(text, bad = false) {
  const node = $("toast");
  node.textContent = text;
  node.classList.toggle("bad", bad);
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, bad ? 9000 : 4000);
}

export function failureBox(error, retry) {
  const again = said("button", "tryAgain", { type: "button", class: "button" });
  again.addEventListener("click", retry);
  return el("div", { class: "state-box bad", role: "alert" }, el("p", {}, wordsOf(error)), again);
}
export const loadingBox = () => el("div", { class: "state-box", role: "status" }, el("div", { class: "wait" }, el("i"), el("i"), el("i")), said("p", "loading"));
export function emptyBox(title, note, ...commands) {
  const code = commands.length ? el("pre", {}, el("code", {}, commands.join("\n"))) : null;
  return el("div", { class: "state-box" }, said("strong", title), note ? said("p", note) : null, code);
}

/** Ask for a reason why an article does not fit, and flag it. */
export function flagDialog(articleId, title) {
  const dialog = $("flag");
  $("flag-article").textContent = title || articleId;
  $("flag-note").value = "";
  $("flag-form").onsubmit = async (event) => {
    event.preventDefault();
    const reason = new FormData($("flag-form")).get("reason");
    try {
      await call(`/articles/${encodeURIComponent(articleId)}/flags`, { reason, note: $("flag-note").value.trim() });
      dialog.close();
      toast(t("flagged"));
    } catch (error) {
      $("flag-error").textContent = wordsOf(error);
    }
  };
  $("flag-error").textContent = "";
  dialog.showModal();
}

/** The turns of a conversation, each with who spoke. */
export function turnNodes(turns) {
  return turns.map((turn) => {
    const name = { customer: "customer", assistant: "assistantWord", agent: "agentWord", system: "systemWord" }[turn.role];
    return el("article", { class: `turn ${turn.role}` }, el("header", {}, said("b", name), turn.at ? el("time", { datetime: turn.at }, when(turn.at)) : null), turn.role === "assistant" ? el("div", { class: "prose" }, ...blocks(turn.text, () => null)) : el("p", {}, turn.text));
  });
}

export function signOut(why = null) {
  key = null;
  who.role = null;
  sessionStorage.removeItem(KEPT);
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  document.body.classList.add("signed-out");
  $("key-error").textContent = why ? t(why) : "";
  $("key").focus();
}

async function trySignIn(given) {
  key = given;
  let me;
  try {
    me = await callJson(`${API}/me`, { token: given });
  } catch (error) {
    key = null;
    document.body.classList.add("signed-out");
    const wrong = error instanceof Failure && { 401: "keyWrong", 403: "keyRole" }[error.status];
    if (wrong) sessionStorage.removeItem(KEPT);
    $("key-error").textContent = wrong ? t(wrong) : wordsOf(error);
    return;
  }
  who.role = me.role;
  sessionStorage.setItem(KEPT, given);
  say($("role"), `role_${me.role}`);
  document.body.classList.remove("signed-out");
  await onSignIn(me);
}

/** Wire the page. `entered` runs after each sign-in, `languageChanged` after each switch. */
export async function begin(titleKey, entered, languageChanged) {
  onSignIn = entered;
  const speak = () => {
    document.title = `${t(titleKey)} · Teachback`;
    $("language").lang = language() === "en" ? "zh-CN" : "en";
  };
  setLanguage(preferredLanguage());
  speak();
  $("language").addEventListener("click", () => {
    setLanguage(language() === "en" ? "zh" : "en");
    localStorage.setItem("teachback.language", language());
    speak();
    languageChanged();
  });
  $("sign-out").addEventListener("click", () => signOut());
  $("key-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = $("key").value.trim();
    if (!given) {
      $("key-error").textContent = t("keyEmpty");
      return;
    }
    $("key-error").textContent = "";
    await trySignIn(given);
    if (who.role) $("key").value = "";
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("[data-close]")) dialog.close(); });
  }
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("key");
  if (fromLink) history.replaceState(null, "", location.pathname + location.search); // addresses are copied and logged
  const given = fromLink || sessionStorage.getItem(KEPT);
  if (given) await trySignIn(given);
  else document.body.classList.add("signed-out");
  document.documentElement.dataset.ready = "true";
}
