// A task in the conversation: how it stands, and the card that shows exactly what a press of "confirm" will do.
import { language, say, t } from "./i18n.js";
import { el, icon } from "./markdown.js";

const said = (tag, key, attributes = {}, values) => say(el(tag, attributes), key, values);

export function taskEyebrow(task) {
  const mark = { done: "check", failed: "alert", refused: "alert", unknown: "alert", handed_over: "person" }[task.status];
  return el("p", { class: `eyebrow task-${task.status}${task.status === "done" ? " done" : ""}` }, mark ? icon(mark) : null, said("span", `task_${task.status}`));
}

/** The summary with its two buttons. Each press is one message; a second press finds the buttons gone. */
export function taskCard(task, ask) {
  const rows = task.summary.flatMap(({ label, value }) => [el("dt", {}, label), el("dd", {}, value)]);
  const yes = said("button", "taskConfirm", { type: "button", class: "button" });
  const no = said("button", "taskCancel", { type: "button", class: "quiet" });
  const until = new Date(task.expires_at).toLocaleTimeString(language() === "en" ? "en" : "zh-CN", { hour: "2-digit", minute: "2-digit" });
  const note = el("small", {}, said("span", task.undo ? "taskUndo" : "taskFinal"), " · ", said("span", "taskUntil", {}, { time: until }));
  const buttons = el("div", { class: "buttons" }, yes, no);
  const card = el(
    "section",
    { class: "task-card", "aria-label": task.title },
    el("header", {}, el("strong", {}, task.title), said("span", "taskCheck")),
    el("dl", {}, ...rows),
    note,
    buttons,
  );
  const once = (key, confirmation) => () => {
    retireCards();
    ask(t(key), confirmation);
  };
  yes.addEventListener("click", once("taskSaysYes", task.confirmation));
  no.addEventListener("click", once("taskSaysNo", null));
  const left = new Date(task.expires_at).getTime() - Date.now();
  setTimeout(() => {
    if (buttons.isConnected) buttons.replaceWith(said("p", "taskExpired", { class: "aside" }));
  }, Math.max(0, left));
  return card;
}

/** Only the newest summary can be confirmed: the buttons of older cards go. */
export function retireCards() {
  for (const buttons of document.querySelectorAll(".task-card .buttons")) buttons.remove();
}
