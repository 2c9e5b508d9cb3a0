"""The report's style sheet: system fonts, one accent, dark and light, phone and paper."""

# ruff: noqa: E501
STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#dfe4ea;--paper:#fff;--card:#f6f8fa;--accent:#0b6e6e;
--wash:#cfe6e4;--warn:#a6401c;--warnwash:#fbe9e1}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9fabb8;--line:#313b46;--paper:#14191f;--card:#1c232b;
--accent:#5cc4bf;--wash:#1f4745;--warn:#f0a07c;--warnwash:#3a241a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI","PingFang SC",
"Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;overflow-wrap:anywhere}
main{max-width:960px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px}
h2{font-size:1.15rem;margin:40px 0 4px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 2px}
p{margin:4px 0 10px}.soft{color:var(--soft);font-size:.9rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin:18px 0 12px}
.card{background:var(--card);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:2rem;line-height:1.2;font-variant-numeric:tabular-nums}
.card.main b{color:var(--accent)}
.note{border-left:4px solid var(--accent);background:var(--card);padding:8px 14px;border-radius:0 8px 8px 0;margin:12px 0}
.note.bad{border-color:var(--warn);background:var(--warnwash)}
table{border-collapse:collapse;width:100%;font-size:.92rem;margin:8px 0 4px}
th,td{text-align:left;padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{display:block;width:100%;height:auto;max-width:520px}
svg text{fill:var(--ink);font-size:13px}svg .soft{fill:var(--soft);font-size:12px}
.bar{fill:var(--wash)}.bar.me{fill:var(--accent)}.whisker{stroke:var(--ink);stroke-width:1.6}.halo{stroke:var(--paper);stroke-width:5}
.spread{stroke:var(--soft);stroke-width:1.4}
.axis{stroke:var(--line)}.dash{stroke:var(--soft);stroke-dasharray:4 4}.band{fill:var(--wash)}
.trend{fill:none;stroke:var(--accent);stroke-width:2.2}.dot{fill:var(--accent)}
.meter{display:inline-block;height:.62em;background:var(--accent);border-radius:2px;vertical-align:middle;min-width:2px}
h2.part{font-size:1.35rem;border-top:3px solid var(--line);margin-top:48px}h2.part+section h2{border:0;margin-top:8px}
h3{scroll-margin-top:12px}ul{margin:4px 0 8px;padding-left:1.2em}li{margin:2px 0}
.todos{list-style:none;padding:0;counter-reset:todo;margin:10px 0}.todos>li{counter-increment:todo;position:relative;
background:var(--card);border-radius:10px;padding:12px 16px 8px 54px;margin:10px 0;break-inside:avoid}
.todos>li::before{content:counter(todo);position:absolute;left:16px;top:10px;font-size:1.6rem;font-weight:700;line-height:1.2;
color:var(--accent)}.todos ul{list-style:none;padding:0}a{color:var(--accent)}
mark{background:var(--warnwash);color:inherit;text-decoration:underline;text-decoration-color:var(--warn);
text-decoration-thickness:2px;text-underline-offset:3px}
.said p{margin:0;white-space:pre-line}.said .soft{display:block;font-size:.8rem;margin-top:6px;border-top:1px solid var(--line);
padding-top:4px}
.gap{margin:18px 0 26px;break-inside:avoid}
.pair{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin-top:8px}
.said{background:var(--card);border-radius:8px;padding:9px 12px;font-size:.88rem;line-height:1.5}
.said strong{display:block;font-size:.78rem;color:var(--soft);font-weight:600}
.said.agent{background:var(--wash)}.said.agent strong,.said.agent .soft{color:var(--ink)}
.tag{display:inline-block;border:1px solid var(--line);border-radius:99px;padding:0 9px;font-size:.78rem;color:var(--soft);
margin:0 4px 3px 0;white-space:nowrap}
details{margin:10px 0}summary{cursor:pointer;color:var(--accent)}
td.m{white-space:nowrap;width:24%}td.m .meter{max-width:70%}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.82rem}
@media(max-width:720px){body{font-size:15px}main{padding:18px 14px 40px}.pair{grid-template-columns:1fr}
.cards{grid-template-columns:1fr 1fr;gap:8px}.card{padding:10px 12px}.card b{font-size:1.5rem}
td.m{width:auto}td.m .meter{display:none}.wide{overflow-x:auto}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--card:#f3f3f3;--accent:#0b5c5c;--wash:#d5e8e6}
body{font-size:10.5pt}main{max-width:none;padding:0}h2,section>.soft{break-after:avoid}.card,.gap,svg,tr{break-inside:avoid}
details::details-content{content-visibility:visible;block-size:auto}details.screen{display:none}
.pair{grid-template-columns:repeat(2,1fr)}a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
