#include "report_style.hpp"

namespace evd::report {

// Series colours: Okabe and Ito's palette, told apart by colour-blind readers, shifted for each
// background.
const std::string_view kStyle = R"css(
:root {
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2329; --soft: #5c6670; --line: #dfe3e6;
  --grid: #e8ebed; --accent: #0b6e99;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b3589a; --c4: #c08400; --c5: #3a9bd0;
  --c6: #6b7178; --c7: #8c5a3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --card: #1c2227; --ink: #e8ebed; --soft: #9aa5af; --line: #303940;
    --grid: #2a3239; --accent: #6cc3ea;
    --c0: #56b4e9; --c1: #ff8a4c; --c2: #2fcf9f; --c3: #de8ac5; --c4: #f0c04a; --c5: #8ed0f5;
    --c6: #a9b2ba; --c7: #c99a7c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.25rem clamp(0.9rem, 3vw, 2rem) 4rem; max-width: 1180px;
  background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.4rem 0 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 0.2rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 0; font-weight: 600; }
figcaption h3 { margin: 0; }
p { margin: 0.3rem 0; }
a { color: var(--accent); }
.lead, .note { color: var(--soft); max-width: 72ch; }
.note { font-size: 0.875rem; }
section { margin-top: 2.6rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0.9rem 0; font-size: 0.95rem; }
nav a { text-decoration: none; padding: 0.2rem 0; }
nav a:hover { text-decoration: underline; }
.figures {
  display: grid; gap: 0.7rem; grid-template-columns: repeat(auto-fit, minmax(9.2rem, 1fr));
  margin: 1.2rem 0 0;
}
.figures div, figure, .cards > li {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
.figures div { padding: 0.65rem 0.75rem; }
.figures dt { color: var(--soft); font-size: 0.8rem; }
.figures dd { margin: 0; font-size: 1.12rem; font-weight: 600; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.figures small { white-space: normal; font-size: 0.8rem; font-weight: 400; color: var(--soft); display: block; }
.charts {
  display: grid; gap: 0.9rem; margin-top: 0.9rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr));
}
figure { margin: 0; padding: 0.8rem 0.9rem; min-width: 0; }
figure svg { display: block; width: 100%; max-width: 580px; height: auto; margin: 0.4rem auto 0; }
figcaption p { font-size: 0.85rem; color: var(--soft); margin: 0.1rem 0 0; }
svg text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  fill: var(--soft); font-variant-numeric: tabular-nums; }
@media (min-width: 900px) { svg text { font-size: 10.5px; } }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg path.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg path.faint { fill: none; stroke-width: 1; opacity: 0.3; }
svg path.level { fill: none; stroke-width: 1.5; stroke-dasharray: 5 4; }
svg path.band { stroke: none; opacity: 0.16; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; margin: 0.5rem 0 0;
  padding: 0; font-size: 0.85rem; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 3px;
  margin-right: 0.4rem; vertical-align: -0.08rem; }
.scroll { overflow-x: auto; margin-top: 0.9rem; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 0.86rem;
  font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 0.42rem 0.55rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; }
thead th { color: var(--soft); font-size: 0.8rem; vertical-align: bottom; }
th:first-child { padding-left: 0.9rem; text-align: left; position: sticky; left: 0; background: var(--card); }
td small { color: var(--soft); }
.cards { list-style: none; margin: 0.9rem 0 0; padding: 0; display: grid; gap: 0.9rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
.cards > li { padding: 0.8rem 0.9rem; min-width: 0; }
.prompt { overflow-wrap: anywhere; unicode-bidi: plaintext; margin: 0; }
.tag { display: inline-block; font-size: 0.75rem; color: var(--soft); border: 1px solid var(--line);
  border-radius: 99px; padding: 0 0.5rem; margin: 0.15rem 0.25rem 0 0; }
.row-label { font-size: 0.75rem; color: var(--soft); margin: 0.55rem 0 0.15rem; }
.shots { display: flex; flex-wrap: wrap; gap: 0.45rem; }
.shot { width: 76px; font-size: 0.7rem; line-height: 1.25; color: var(--soft); text-align: center;
  overflow-wrap: anywhere; }
.shot img, .none { display: block; width: 76px; height: 76px; object-fit: cover; border-radius: 6px;
  border: 1px solid var(--line); background: var(--grid); margin-bottom: 0.15rem; }
.none { display: grid; place-items: center; font-size: 1rem; }
.shot.target img { outline: 2px solid var(--c2); outline-offset: 1px; }
img.pixels { image-rendering: pixelated; }
.tree, .tree ul { list-style: none; margin: 0; padding: 0; }
.tree { display: grid; gap: 1.1rem; margin-top: 0.9rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); }
.tree ul { margin-left: 1.1rem; border-left: 2px solid var(--line); padding-left: 0.9rem; }
.node { display: flex; gap: 0.7rem; align-items: flex-start; padding: 0.35rem 0; }
.node img, .node .none { flex: none; width: 60px; height: 60px; border-radius: 6px; margin: 0;
  border: 1px solid var(--line); object-fit: cover; }
.node > div { min-width: 0; font-size: 0.92rem; }
details { margin-top: 0.9rem; }
summary { cursor: pointer; color: var(--accent); padding: 0.3rem 0; }
pre { overflow-x: auto; font-size: 0.8rem; line-height: 1.45; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem; }
.problems { border-left: 4px solid var(--c1); padding: 0.2rem 0.9rem; margin-top: 1rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: 0.85rem; }
@media print { nav, details:not([open]) { display: none; } body { max-width: none; } }
)css";

}  // namespace evd::report
