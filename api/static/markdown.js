// Markdown-light to DOM nodes. Text only ever becomes text nodes; nothing is parsed as HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const INLINE = /(\*\*|__)(?=\S)(.+?)\1|`([^`]+)`|\[(\d{1,2})\]|\[([^\]]+)\]\(([^)\s]+)\)|(?<![\w*])\*(?=[^\s*])(.+?)\*(?![\w*])/g;

/** Inline nodes. `cite(n)` makes the node for the mark `[n]`, or gives null to leave it as text. */
export function inline(text, cite = () => null) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, , bold, code, mark, label, href, emphasis] = match;
    let node = null;
    if (bold) node = el("strong", {}, ...inline(bold, cite));
    else if (code) node = el("code", {}, code);
    else if (mark) node = cite(Number(mark));
    else if (label && /^(https?:\/\/|mailto:|tel:|\/(?!\/))/i.test(href)) {
      node = el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
    } else if (emphasis) node = el("em", {}, ...inline(emphasis, cite));
    if (node === null) continue;
    if (match.index > last) nodes.push(text.slice(last, match.index));
    nodes.push(node);
    last = match.index + whole.length;
  }
  if (last < text.length) nodes.push(text.slice(last));
  return nodes;
}

const ITEM = /^(\s*)(?:([-*+•])|(\d{1,3})[.)、．])\s*(?=\S)(.*)$/;
const isItem = (line) => {
  const match = ITEM.exec(line);
  // "-5" or "3.5" is a number, and "**bold**" is no bullet: a bullet wants a space, a number must not meet a digit.
  return match && (match[2] ? /^\s*[-*+•]\s/.test(line) : !/^\s*\d+[.．]\d/.test(line)) ? match : null;
};
const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
const isRule = (line) => /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(line) && line.includes("|");

function list(lines, cite) {
  const ordered = Boolean(isItem(lines[0])[3]);
  const node = el(ordered ? "ol" : "ul", ordered ? { start: isItem(lines[0])[3] } : {});
  const depth = isItem(lines[0])[1].length;
  let inner = [];
  const flush = () => {
    if (!inner.length) return;
    const own = inner.filter((line) => isItem(line));
    if (own.length) node.lastElementChild.append(list(own, cite));
    inner = [];
  };
  for (const line of lines) {
    const match = isItem(line);
    if (match && match[1].length > depth + 1) inner.push(line);
    else if (match) {
      flush();
      node.append(el("li", {}, ...inline(match[4], cite)));
    } else node.lastElementChild.append(el("br"), ...inline(line.trim(), cite));
  }
  flush();
  return node;
}

function table(lines, cite) {
  const row = (line, tag) => el("tr", {}, ...cells(line).map((cell) => el(tag, {}, ...inline(cell, cite))));
  const grid = el("table", {}, el("thead", {}, row(lines[0], "th")), el("tbody", {}, ...lines.slice(2).map((l) => row(l, "td"))));
  return el("div", { class: "table", tabindex: "0", role: "group" }, grid);
}

/** Block nodes of a reply: paragraphs, steps, bullets, tables, headings, quotes, code. */
export function blocks(text, cite) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const nodes = [];
  let i = 0;
  const take = (belongs) => {
    const from = i;
    while (i < lines.length && belongs(lines[i], i - from)) i += 1;
    return lines.slice(from, i);
  };
  while (i < lines.length) {
    const line = lines[i];
    if (!line.trim()) i += 1;
    else if (/^\s*```/.test(line)) {
      i += 1;
      nodes.push(el("pre", {}, el("code", {}, take((l) => !/^\s*```/.test(l)).join("\n"))));
      i += 1;
    } else if (/^#{1,6}\s/.test(line)) {
      nodes.push(el("h3", {}, ...inline(line.replace(/^#+\s+/, ""), cite)));
      i += 1;
    } else if (line.includes("|") && isRule(lines[i + 1] ?? "")) nodes.push(table(take((l) => l.includes("|")), cite));
    else if (isItem(line)) nodes.push(list(take((l, n) => n === 0 || isItem(l) || /^\s{2,}\S/.test(l)), cite));
    else if (/^\s*>/.test(line)) {
      nodes.push(el("blockquote", {}, ...blocks(take((l) => /^\s*>/.test(l)).map((l) => l.replace(/^\s*> ?/, "")).join("\n"), cite)));
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      nodes.push(el("hr"));
      i += 1;
    } else {
      const paragraph = el("p");
      const own = take((l, n) => n === 0 || (l.trim() && !isItem(l) && !/^(#{1,6}\s|\s*>|\s*```)/.test(l) && !isRule(lines[i + 1] ?? "")));
      own.forEach((l, n) => paragraph.append(...(n ? [el("br")] : []), ...inline(l.trim(), cite)));
      nodes.push(paragraph);
    }
  }
  return nodes;
}
