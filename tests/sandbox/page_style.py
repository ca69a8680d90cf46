"""The look of the stand-in's page: one style sheet, light and dark, without anything from elsewhere."""

STYLE = """
:root {
  --paper: #f6f3ec; --card: #fffdf8; --ink: #2a2621; --soft: #756c60; --line: #e4ddd0; --accent: #2f6f62;
  --track: #e7e0d3; --shadow: 0 1px 2px rgb(60 45 20 / .06), 0 6px 24px rgb(60 45 20 / .06);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17181a; --card: #1f2123; --ink: #e9e5dd; --soft: #9b958a; --line: #32353a; --accent: #6fc3b0;
    --track: #34373b; --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "DejaVu Serif", serif;
}
h1 { margin: 0; font-size: 2.4rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.1; }
h2 { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.25; overflow-wrap: anywhere; }
.kicker, dt, th, .facts, footer, .more, small, .progress b, td {
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
.kicker { margin: 0 0 .4rem; color: var(--accent); font-size: .82rem; letter-spacing: .04em; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 1.6rem 0 2rem; }
.totals div { display: flex; flex-direction: column-reverse; padding: .2rem 0 .2rem 1rem; }
.totals div { border-left: 3px solid var(--accent); }
dt { color: var(--soft); font-size: .82rem; }
dd { margin: 0; font-size: 1.55rem; line-height: 1.2; font-variant-numeric: lining-nums tabular-nums; }
article, .empty {
  margin: 0 0 1.25rem; padding: 1.4rem 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; box-shadow: var(--shadow);
}
.by { margin: .1rem 0 .9rem; color: var(--soft); font-style: italic; }
.progress { display: flex; align-items: center; gap: .9rem; }
.bar { flex: 1; height: 8px; border-radius: 4px; background: var(--track); overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 4px; background: var(--accent); }
.progress b { font-size: .9rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts { margin: .5rem 0 0; color: var(--soft); font-size: .88rem; }
.scroll { overflow-x: auto; margin-top: 1rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { padding: .3rem .8rem .3rem 0; color: var(--soft); font-size: .78rem; font-weight: 500; text-align: left; }
td { padding: .42rem .8rem .42rem 0; border-top: 1px solid var(--line); white-space: nowrap; }
th.n, td.n { text-align: right; }
td.place { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; padding-left: .8rem; }
th:last-child { padding-left: .8rem; }
.to { color: var(--soft); }
.highlights { margin: 1.1rem 0 0; padding: 0; list-style: none; }
.highlights li { margin: 0 0 .8rem; padding-left: .9rem; border-left: 4px solid var(--mark, var(--accent)); }
.highlights q { quotes: "“" "”"; overflow-wrap: anywhere; }
.note { margin: .2rem 0 0; font-style: italic; }
a { color: var(--accent); }
small, .more, footer { color: var(--soft); font-size: .82rem; }
.empty { text-align: center; padding: 3rem 1.5rem; }
.titles { margin: .8rem 0 0; padding: 0; list-style: none; color: var(--soft); }
.titles b { color: var(--ink); font-weight: 600; }
.empty .titles { display: inline-block; text-align: left; }
.unread { margin: 2rem 0; }
.unread h2 { font-size: 1.05rem; }
code { padding: .1em .35em; border-radius: 4px; background: var(--track); font-size: .88em; }
"""
