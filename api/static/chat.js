// The chat page: who is talking, what is sent, what comes back, what happens when it does not.
import { Client, Failure } from "./client.js";
import { language, preferredLanguage, say, setLanguage, t, tierWord } from "./i18n.js";
import { el } from "./markdown.js";
import { customerMessage, questionButton, ReplyView } from "./message.js";
import { retireCards } from "./task.js";

const LONGEST = 4000;
const $ = (id) => document.getElementById(id);
const client = new Client();
const memory = {
  get: (key) => sessionStorage.getItem(`teachback.${key}`),
  set: (key, value) => (value === null ? sessionStorage.removeItem(`teachback.${key}`) : sessionStorage.setItem(`teachback.${key}`, value)),
};

let people = null; // the demo's users, or null
let persona = null; // the demo user chosen; null is a visitor
let conversation = null; // id
let offered = []; // the questions shown before the first message
let running = null; // AbortController of the reply under way
let withPerson = false; // the conversation is with an agent, or waits for one
let agentTurns = 0; // how many of the agent's messages are on the page

// --- scrolling: follow the reply until its question reaches the top, and never against the reader's hand ---
const scroller = $("scroll");
let following = true;
function follow() {
  if (!following) return;
  const question = [...$("log").querySelectorAll(".customer")].at(-1);
  const end = scroller.scrollHeight - scroller.clientHeight;
  scroller.scrollTop = question ? Math.min(end, question.offsetTop - 20) : end;
}
for (const kind of ["wheel", "touchmove"]) scroller.addEventListener(kind, () => { following = false; }, { passive: true });

// --- composer ---
const input = $("text");
function fit() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 168)}px`;
  const long = input.value.length > LONGEST;
  $("count").hidden = input.value.length < LONGEST * 0.85;
  $("count").textContent = `${input.value.length} / ${LONGEST}`;
  $("composer").classList.toggle("over", long);
  $("composer").classList.toggle("ready", Boolean(input.value.trim()) && !long);
  input.setAttribute("aria-invalid", String(long));
  hint(long ? "tooLong" : "hint", long);
}
function hint(key, urgent = false) {
  say($("hint-text"), key);
  $("hint").classList.toggle("urgent", urgent);
  if (urgent) $("announce").textContent = t(key);
}
function busy(is) {
  $("send").hidden = is;
  $("stop").hidden = !is;
  $("log").setAttribute("aria-busy", String(is));
}

// --- one question, one reply ---
async function ask(text, confirmation = null) {
  if (running) return;
  retireCards();
  $("welcome").classList.add("past");
  $("fresh").hidden = false;
  for (const old of document.querySelectorAll(".offers, .decline")) old.remove();
  $("log").append(customerMessage(text));
  await reply(text, confirmation);
}

async function reply(text, confirmation = null) {
  const view = new ReplyView();
  view.onGrow = follow;
  $("log").append(view.node);
  following = true;
  follow();
  running = new AbortController();
  busy(true);
  let focusInput = true;
  try {
    const whole = await askOnce(text, view, running.signal, confirmation);
    withPerson = withPerson || whole.decision === "handoff";
    if (whole.decision === "handoff" && !whole.handoff) view.settle(whole.text); // an agent has it; this is no turn to rate
    else view.finish(whole, { ask, rate: (value, reason) => rate(whole, value, reason) });
    $("announce").textContent = whole.text;
  } catch (error) {
    focusInput = false;
    if (error.name === "AbortError") view.stopped();
    else {
      const failure = error instanceof Failure ? error : new Failure("internal");
      view.fail(failure, () => {
        view.node.remove();
        reply(text, confirmation);
      });
      if (["conversation-closed", "not-found"].includes(failure.kind)) forget();
    }
  } finally {
    running = null;
    busy(false);
    follow();
    // The text field keeps the focus where a task waits, too: "确认" and Enter is how people say yes; Shift+Tab leads to the card.
    if (focusInput && matchMedia("(hover: hover)").matches) input.focus({ preventScroll: true });
  }
}

function askOnce(text, view, signal, confirmation) {
  const on = { delta: ({ text: piece }) => view.add(piece), reset: () => view.reset() };
  const shown = offered;
  offered = []; // what a reply offers later, the service knows by itself
  return renewing(async () => {
    if (!conversation) await open();
    return client.ask(conversation, text, on, signal, shown, confirmation);
  });
}

/** In the demo a session that ran out is simply renewed, once. */
async function renewing(call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Failure) || error.status !== 401 || !people) throw error;
    await client.demoSession(persona?.id ?? null);
    if (!persona) conversation = null; // a visitor's conversation went with the visitor's token
    remember();
    return call();
  }
}

async function open() {
  conversation = (await client.open()).id;
  remember();
}

async function rate(whole, value, reason) {
  // The conversation itself says which turn this reply became.
  const { turns } = await client.read(whole.conversation_id);
  const turn = turns.findLast((one) => one.role === "assistant" && one.text === whole.text);
  await client.rate(whole.conversation_id, { kind: "thumb", value, reason, turn_seq: turn?.seq ?? null });
}

// --- what an agent writes comes by itself while a person has the conversation ---
async function listen() {
  if (!conversation || !withPerson || running || document.hidden) return;
  const id = conversation;
  let talk;
  try {
    talk = await client.read(id);
  } catch {
    return; // the next try comes soon, and the next message says what is wrong
  }
  if (id !== conversation || running) return;
  const news = talk.turns.filter((turn) => turn.role === "agent").slice(agentTurns);
  for (const turn of news) {
    showTurn(turn);
    $("announce").textContent = turn.text;
  }
  agentTurns += news.length;
  withPerson = talk.status === "handed_off";
  if (talk.status === "closed") over();
  if (news.length || talk.status === "closed") scroller.scrollTop = scroller.scrollHeight;
}

/** Put a recorded turn on the page; its view, where it is no customer's. */
function showTurn(turn) {
  if (turn.role === "customer") $("log").append(customerMessage(turn.text));
  if (turn.role === "customer" || turn.role === "system") return null;
  const view = new ReplyView(turn.role);
  view.settle(turn.text);
  $("log").append(view.node);
  return view;
}

/** An agent resolved it: said on the page, and the next message begins another conversation. */
function over() {
  $("log").append(el("section", { class: "handoff", role: "status" }, el("header", {}, say(el("strong"), "resolvedTitle")), say(el("p"), "resolvedNote")));
  withPerson = false;
  agentTurns = 0;
  forget();
}

// --- what outlives a reload of the tab ---
function remember() {
  memory.set("token", client.token);
  memory.set("conversation", conversation);
  memory.set("persona", people ? (persona?.id ?? "") : null);
}
function forget() {
  conversation = null;
  remember();
}

async function restore(id) {
  try {
    const { turns, status, task } = await client.read(id);
    if (!turns.length) return;
    conversation = id;
    withPerson = status === "handed_off";
    agentTurns = turns.filter((turn) => turn.role === "agent").length;
    $("welcome").classList.add("past");
    $("fresh").hidden = false;
    const views = turns.map(showTurn).filter(Boolean);
    if (task) views.findLast((view) => view.text.includes(`**${task.title}**`))?.showTask(task, ask);
    if (status === "closed") over();
    scroller.scrollTop = scroller.scrollHeight;
  } catch {
    forget();
  }
}

async function startOver() {
  running?.abort();
  conversation = null;
  withPerson = false;
  agentTurns = 0;
  // Cleared before the wait, and closed during it: a message sent meanwhile would be wiped, or said as the person before.
  $("log").replaceChildren();
  $("welcome").classList.remove("past");
  $("fresh").hidden = true;
  $("composer").inert = true;
  try {
    if (people) await client.demoSession(persona?.id ?? null);
  } finally {
    $("composer").inert = false;
  }
  remember();
  await starters();
  input.focus({ preventScroll: true });
}

async function starters() {
  const list = $("starters");
  let questions = [];
  try {
    questions = await renewing(() => client.suggestions());
  } catch {
    // Without suggestions the page still works; the first message will tell if the service is down.
  }
  offered = questions.slice(0, 6);
  list.replaceChildren(...offered.map((text) => el("li", {}, questionButton(text, ask))));
  $("likely").hidden = !questions.length;
}

// --- demo: who am I ---
const situation = (user) => (language() === "en" && user.situation_en) || user.situation;
function showPersona() {
  $("persona").hidden = !people;
  if (persona) {
    delete $("persona-name").dataset.i18n;
    $("persona-name").textContent = persona.name;
  } else say($("persona-name"), "visitor");
}
function fillPeople() {
  const row = (user) => {
    const words = user
      ? [el("b", {}, user.name, el("span", { class: `tier ${user.tier}` }, tierWord(user.tier))), el("small", {}, situation(user))]
      : [say(el("b"), "visitor"), say(el("small"), "visitorNote")];
    const chosen = (persona?.id ?? null) === (user?.id ?? null);
    const initial = el("span", { class: "initial", "aria-hidden": "true" }, user ? user.name.slice(0, 1) : "?");
    const button = el("button", { type: "button", "aria-pressed": String(chosen) }, initial, el("span", { class: "who" }, ...words));
    button.addEventListener("click", async () => {
      $("people").close();
      persona = user;
      showPersona();
      await startOver();
    });
    return el("li", {}, button);
  };
  $("people-list").replaceChildren(...[...people, null].map(row));
}

async function enter() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    client.token = given;
    // Out of the address at once: addresses are copied, logged and kept in histories.
    history.replaceState(null, "", location.pathname + location.search);
    forget();
    return true;
  }
  people = await client.demoUsers().catch(() => null);
  const kept = memory.get("token");
  if (!people && !kept) return false;
  client.token = kept;
  if (people) {
    const id = memory.get("persona");
    persona = id === null ? (people[0] ?? null) : (people.find((user) => user.id === id) ?? null);
    if (!kept) await client.demoSession(persona?.id ?? null);
  }
  showPersona();
  if (kept && memory.get("conversation")) await restore(memory.get("conversation"));
  return true;
}

// --- wiring ---
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (running) return;
  if (!text || input.value.length > LONGEST) {
    hint(text ? "tooLong" : "emptyText", true);
    input.focus();
    return;
  }
  input.value = "";
  fit();
  ask(text);
});
input.addEventListener("input", fit);
input.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses characters.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("stop").addEventListener("click", () => running?.abort());
$("fresh").addEventListener("click", () => startOver().catch(() => {}));
$("language").addEventListener("click", () => {
  setLanguage(language() === "en" ? "zh" : "en");
  $("language").lang = language() === "en" ? "zh-CN" : "en";
  localStorage.setItem("teachback.language", language());
  fit();
  if (client.token && !$("log").children.length) starters();
});
$("persona").addEventListener("click", () => {
  fillPeople();
  $("people").showModal();
});
$("people").addEventListener("click", (event) => {
  if (event.target === $("people")) $("people").close();
});
const network = () => { $("offline").hidden = navigator.onLine; };
addEventListener("online", network);
addEventListener("offline", network);

setInterval(listen, 3000);

setLanguage(preferredLanguage());
$("language").lang = language() === "en" ? "zh-CN" : "en";
network();
fit();
const entered = await enter().catch(() => false);
if (entered) await starters();
else {
  say($("greeting"), "needToken");
  say($("welcome").querySelector("p"), "needTokenNote");
  document.querySelector(".dock").hidden = true;
}
document.documentElement.dataset.ready = "true";
