// All words of the page, in both languages, and the switch between them.

const WORDS = {
  zh: {
    title: "客服助手", pageTitle: "客服助手 · Teachback", presence: "智能应答，随时可转人工", skip: "跳到输入框",
    greeting: "您好，有什么可以帮您？", promise: "回答来自我们的知识库，并会结合您的订单情况。", likely: "猜你想问",
    log: "对话", textLabel: "您的问题", placeholder: "请描述您的问题…", send: "发送", stop: "停止生成", fresh: "新的对话",
    hint: "内容由 AI 生成，重要事项请以引用来源为准", emptyText: "请先写下您的问题",
    tooLong: "请控制在 4000 字以内，可以分几条发送", otherLanguage: "Switch to English", otherLanguageShort: "EN",
    offline: "网络已断开，恢复后可继续发送。", resolvedTitle: "本次服务已结束", resolvedNote: "同事已将问题标记为解决。继续发消息会开始新的对话。", waitingPerson: "人工客服的回复会显示在这里", you: "您", assistant: "助手", agent: "人工客服",
    thinking: "正在查找资料", stopped: "已停止生成",
    sources: "参考来源", fromCase: "来自已解决的服务记录", showSource: "查看来源 {n}",
    stateUsed: "已结合", clarify: "需要您补充一点信息", handoff: "已转接人工客服", handoffReason: "转接原因",
    handoffDecline: "不转人工，你来回答", handoffDeclineSays: "不用人工了，你来回答",
    handoffSummary: "已交给同事的摘要", act: "已为您办理", more: "您可能还想问", choose: "您可以选择",
    helpful: "有帮助", unhelpful: "没帮助", thanks: "谢谢您的反馈", whyNot: "哪里不满意？", otherReason: "其他原因（选填）",
    submit: "提交", cancel: "取消", reasonUnsolved: "没有解决问题", reasonWrong: "内容不准确", reasonUnclear: "看不明白",
    reasonPerson: "想找人工", rateFailed: "反馈没有送达，请稍后再试",
    details: "详情", confidence: "把握度", model: "模型", extractive: "无（知识库摘录）", trace: "编号",
    stage_state: "读取实时信息", stage_retrieve: "检索", stage_rerank: "排序", stage_generate: "生成", stage_ground: "核对来源",
    stage_total: "总计", stage_embed: "向量化", stage_load: "读取段落", stage_extract: "摘录", stage_first_token: "首字",
    degraded_llm: "未使用大模型，直接摘录知识库", degraded_vector_index: "语义检索暂不可用，已改用关键词查找",
    degraded_embedder: "语义检索暂不可用，已改用关键词查找",
    degraded_state: "暂时读不到您的订单等实时信息", degraded_other: "部分功能暂不可用：{name}",
    reason_customer_request: "您要求人工服务", reason_low_confidence: "这个问题需要同事确认", reason_loop: "问题多次未解决",
    reason_upset: "希望尽快让同事帮到您", reason_forbidden_topic: "此类问题由专人处理", reason_vip: "您的专属服务",
    reason_staff_only_task: "此项操作需由工作人员办理", reason_tool_failure: "系统办理未成功", reason_out_of_hours: "当前为非服务时间",
    task_collecting: "正在办理：还差一点信息", task_awaiting_confirmation: "等您确认，还没有办理", task_done: "已为您办理", task_failed: "没有办成",
    task_refused: "不能办理", task_unknown: "正在核实结果", task_cancelled: "没有办理", task_handed_over: "已转给有权限的同事",
    taskConfirm: "确认", taskCancel: "不办了", taskSaysYes: "确认", taskSaysNo: "算了", taskCheck: "请核对，确认后才会办理", taskUndo: "办理后还可以再改",
    taskFinal: "办理后不能撤销", taskUntil: "{time} 前有效", taskExpired: "已过期，请重新发起",
    tier_regular: "普通会员", tier_silver: "银卡会员", tier_gold: "金卡会员", tier_platinum: "白金会员", tier_black: "黑金会员",
    retry: "重试", brokenTitle: "回复没有收完", broken: "连接中断了。您的消息已保留，可以重试。",
    unreachableTitle: "没有发出去", unreachable: "暂时连不上服务。您的消息已保留，可以重试。",
    failedTitle: "暂时无法回答", expired: "登录已过期，请刷新页面。", traceShort: "编号 {id}",
    choosePersona: "选择演示用户", peopleTitle: "选择演示用户", peopleNote: "仅供演示：以下用户与订单均为虚构。",
    visitor: "访客", visitorNote: "未登录，看不到订单信息", close: "关闭", needToken: "请从您的应用内打开客服",
    needTokenNote: "此页面需要由您的应用提供登录令牌。",
  },
  en: {
    title: "Support", pageTitle: "Support · Teachback", presence: "Instant answers, a person when you need one", skip: "Skip to the message box",
    greeting: "Hello, how can we help?", promise: "Answers come from our help articles and your own orders.", likely: "You may want to ask",
    log: "Conversation", textLabel: "Your question", placeholder: "Describe your question…", send: "Send", stop: "Stop", fresh: "New conversation",
    hint: "Written by AI; for important matters rely on the cited sources", emptyText: "Please write your question first",
    tooLong: "Please keep it under 4,000 characters; you can send several messages", otherLanguage: "切换到中文", otherLanguageShort: "中文",
    offline: "You are offline. You can go on once the network is back.", resolvedTitle: "This conversation is closed", resolvedNote: "Our colleague marked it as solved. A new message starts a new conversation.", waitingPerson: "Our colleague's reply will appear here", you: "You", assistant: "Assistant", agent: "Agent",
    thinking: "Looking it up", stopped: "Stopped",
    sources: "Sources", fromCase: "From a resolved case", showSource: "Show source {n}",
    stateUsed: "Based on", clarify: "One detail is needed", handoff: "Passed to a person", handoffReason: "Why",
    handoffDecline: "No person, you answer", handoffDeclineSays: "No, you answer it",
    handoffSummary: "What our colleague sees", act: "Done for you", more: "You may also ask", choose: "You can choose",
    helpful: "Helpful", unhelpful: "Not helpful", thanks: "Thank you for telling us", whyNot: "What was wrong?", otherReason: "Something else (optional)",
    submit: "Send", cancel: "Cancel", reasonUnsolved: "Did not solve it", reasonWrong: "Not correct", reasonUnclear: "Hard to follow",
    reasonPerson: "I want a person", rateFailed: "That did not reach us, please try again",
    details: "Details", confidence: "Confidence", model: "Model", extractive: "none (quoted from articles)", trace: "Reference",
    stage_state: "Live data", stage_retrieve: "Search", stage_rerank: "Ranking", stage_generate: "Writing", stage_ground: "Source check",
    stage_total: "Total", stage_embed: "Embedding", stage_load: "Loading", stage_extract: "Quoting", stage_first_token: "First word",
    degraded_llm: "No language model used; quoted straight from our articles", degraded_vector_index: "Semantic search is down; keywords were used",
    degraded_embedder: "Semantic search is down; keywords were used",
    degraded_state: "Your orders and other live data cannot be read right now", degraded_other: "Partly unavailable: {name}",
    reason_customer_request: "You asked for a person", reason_low_confidence: "A colleague should confirm this", reason_loop: "It was not solved after several tries",
    reason_upset: "A colleague should help you right away", reason_forbidden_topic: "Specialists handle this topic", reason_vip: "Your personal service",
    reason_staff_only_task: "Only staff can do this", reason_tool_failure: "The system could not complete it", reason_out_of_hours: "Outside service hours",
    task_collecting: "One more detail is needed", task_awaiting_confirmation: "Waiting for you; nothing is done yet", task_done: "Done for you", task_failed: "Not done",
    task_refused: "This cannot be done", task_unknown: "Checking the outcome", task_cancelled: "Nothing was done", task_handed_over: "Passed to a colleague who may do this",
    taskConfirm: "Confirm", taskCancel: "Never mind", taskSaysYes: "Confirm", taskSaysNo: "Never mind", taskCheck: "Please check; it is done only once you confirm", taskUndo: "Can be changed again afterwards",
    taskFinal: "Cannot be undone", taskUntil: "Valid until {time}", taskExpired: "Expired; please ask again",
    tier_regular: "regular", tier_silver: "silver", tier_gold: "gold", tier_platinum: "platinum", tier_black: "black",
    retry: "Try again", brokenTitle: "The reply broke off", broken: "The connection was lost. Your message is kept; you can try again.",
    unreachableTitle: "Not sent", unreachable: "The service cannot be reached. Your message is kept; you can try again.",
    failedTitle: "No answer right now", expired: "Your session has expired; please reload the page.", traceShort: "Reference {id}",
    choosePersona: "Choose a demo user", peopleTitle: "Choose a demo user", peopleNote: "Demo only: these people and orders are made up.",
    visitor: "Visitor", visitorNote: "Not signed in, no orders", close: "Close", needToken: "Please open support from within your app",
    needTokenNote: "This page needs a sign-in token from your app.",
  },
};

let current = "zh";

/** The words of another page, in both languages, beside these. */
export function addWords(words) {
  for (const [tongue, own] of Object.entries(words)) Object.assign(WORDS[tongue], own);
}

export const language = () => current;

/** The words for `key`; `{name}` is filled from `values`. */
export function t(key, values = {}) {
  const text = WORDS[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const has = (key) => key in WORDS.zh;

/** A membership tier in words; one that the shop made up is shown as it is. */
export const tierWord = (tier) => (has(`tier_${tier}`) ? t(`tier_${tier}`) : tier);

/** Give an element words that follow the language switch. */
export function say(element, key, values) {
  element.dataset.i18n = key;
  if (values) element.dataset.i18nValues = JSON.stringify(values);
  element.textContent = t(key, values);
  return element;
}

/** Give an element a spoken name that follows the language switch. */
export function name(element, key, values) {
  element.dataset.i18nLabel = key;
  if (values) element.dataset.i18nValues = JSON.stringify(values);
  element.setAttribute("aria-label", t(key, values));
  element.title = t(key, values);
  return element;
}

export function setLanguage(wanted) {
  current = wanted === "en" ? "en" : "zh";
  document.documentElement.lang = current === "en" ? "en" : "zh-CN";
  document.title = t("pageTitle");
  const values = (e) => (e.dataset.i18nValues ? JSON.parse(e.dataset.i18nValues) : undefined);
  for (const e of document.querySelectorAll("[data-i18n]")) e.textContent = t(e.dataset.i18n, values(e));
  for (const e of document.querySelectorAll("[data-i18n-placeholder]")) e.placeholder = t(e.dataset.i18nPlaceholder);
  for (const e of document.querySelectorAll("[data-i18n-label]")) {
    const label = t(e.dataset.i18nLabel, values(e));
    e.setAttribute("aria-label", label);
    if (e.tagName === "BUTTON") e.title = label;
  }
}

/** The address's wish, else the last choice, else the browser's first language; Chinese in doubt. */
export function preferredLanguage() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked) return asked.startsWith("en") ? "en" : "zh";
  const kept = localStorage.getItem("teachback.language");
  if (kept) return kept;
  return navigator.language?.toLowerCase().startsWith("en") ? "en" : "zh";
}
