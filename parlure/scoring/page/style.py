"""The style sheet of ``report.html``: inlined, no font or file from elsewhere, light and dark, narrow and wide."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #ffffff; --ink: #1d2129; --muted: #667080;
  --line: #e2e0d8; --base: #98a0ac; --tuned: #1f6f8b; --better: #1b7f4b; --worse: #b3442e; --caution: #8a6100;
  --better-tint: #e5f3ea; --worse-tint: #fbe9e4; --sub-tint: #fdf1d3; --caution-tint: #fdf5e0; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1c2027; --ink: #e8e9ec; --muted: #9aa3b0;
  --line: #323843; --base: #7f8998; --tuned: #5cb6d3; --better: #6ed39a; --worse: #f0927c; --caution: #e5bd62;
  --better-tint: #17362a; --worse-tint: #43231c; --sub-tint: #3d3318; --caution-tint: #2f2815; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
.eyebrow { color: var(--muted); font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; margin: 0; }
.eyebrow code { text-transform: none; letter-spacing: 0; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.7rem, 5vw, 2.6rem); line-height: 1.15; margin: .25rem 0 .5rem; letter-spacing: -.015em; }
h1.better { color: var(--better); } h1.worse { color: var(--worse); }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .6rem; letter-spacing: -.005em; }
h3 { font-size: 1rem; margin: 1.6rem 0 .6rem; }
p { margin: .4rem 0; max-width: 46rem; } .muted, figcaption, .note { color: var(--muted); font-size: .9rem; }
a { color: var(--tuned); }
.lede { font-size: 1.1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
.tile { padding: .9rem 1.1rem; } .tile span { display: block; color: var(--muted); font-size: .85rem; }
.tile b { font-size: 1.75rem; font-weight: 650; font-variant-numeric: tabular-nums; white-space: nowrap; }
.card { padding: 1rem 1.1rem; margin: .75rem 0; }
figure { margin: 0; } figure svg { display: block; width: 100%; max-width: 35rem; height: auto; }
figure svg text { font-family: inherit; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; color: var(--muted); margin: 0 0 .4rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
.dot.diamond { border-radius: 0; transform: rotate(45deg) scale(.85); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .8rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 500; font-size: .85rem; vertical-align: bottom; }
th.left, td.left { text-align: left; } tbody th { font-weight: 600; text-align: left; }
td.wrap, th.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
th .unit { color: var(--muted); font-weight: 400; font-size: .85rem; }
tr.again > * { border-top-color: transparent; }
.headline td, .headline th { background: color-mix(in srgb, var(--tuned) 7%, transparent); }
.verdict-better { color: var(--better); } .verdict-worse { color: var(--worse); }
.cautions { background: var(--caution-tint); border-left: 4px solid var(--caution); border-radius: .3rem;
  padding: .6rem 1rem; margin: 1.2rem 0; } .cautions ul { margin: .2rem 0; padding-left: 1.1rem; }
.broken { background: var(--worse-tint); border-left: 4px solid var(--worse); border-radius: .3rem;
  padding: .6rem 1rem; margin: 1.2rem 0; } .broken ul { margin: .2rem 0; padding-left: 1.1rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 0 1.2rem; }
.columns h3 { margin-top: .4rem; } .columns td, .columns th { white-space: normal; overflow-wrap: anywhere; }
details.card > summary { cursor: pointer; font-weight: 600; } details[open] > summary { margin-bottom: .8rem; }
details .scroll { margin-top: .8rem; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .6rem 0; font-size: .92rem; }
.filter label { color: var(--muted); } .filter output { margin-left: auto; color: var(--muted); }
input, select, button { font: inherit; color: inherit; }
input, select, #evidence-more { background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  padding: .3rem .6rem; } #evidence-more { margin: .8rem auto; display: block; cursor: pointer; }
#evidence-more[hidden] { display: none; }
#evidence thead button { all: unset; cursor: pointer; } #evidence thead th[aria-sort="descending"] button::after {
  content: " ↓"; } #evidence thead th[aria-sort="ascending"] button::after { content: " ↑"; }
button.link { all: unset; cursor: pointer; color: var(--tuned); overflow-wrap: anywhere; white-space: normal; }
button.link:hover { text-decoration: underline; }
:focus-visible, #evidence thead button:focus-visible, button.link:focus-visible {
  outline: 2px solid var(--tuned); outline-offset: 2px; border-radius: .2rem; }
.opened td { text-align: left; white-space: normal; background: color-mix(in srgb, var(--tuned) 5%, transparent); }
.opened dl { display: grid; grid-template-columns: 6rem 1fr; gap: .3rem .8rem; margin: .6rem 0 0; }
.opened dt { color: var(--muted); font-size: .85rem; } .opened dd { margin: 0; overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.utterance + .utterance { margin-top: 1rem; }
.utterance header { display: flex; flex-wrap: wrap; gap: .2rem .9rem; align-items: baseline; }
.utterance code { overflow-wrap: anywhere; } .utterance .change { margin-left: auto; font-weight: 600; }
.utterance dl { display: grid; grid-template-columns: 6rem 1fr; gap: .3rem .8rem; margin: .6rem 0 0; }
.utterance dt { color: var(--muted); font-size: .85rem; padding-top: .15em; overflow-wrap: anywhere; }
.utterance dd { margin: 0; overflow-wrap: anywhere; }
audio { width: 100%; max-width: 30rem; height: 2.4rem; margin-top: .6rem; }
del, ins { text-decoration-thickness: 2px; border-radius: .25em; padding: 0 .2em; }
del { background: var(--worse-tint); color: var(--worse); text-decoration-line: line-through; }
ins { background: var(--better-tint); color: var(--better); text-decoration-line: underline; }
.sub { background: var(--sub-tint); border-radius: .25em; padding: 0 .15em; white-space: normal; }
.sub del, .sub ins { background: none; color: inherit; padding: 0; } .sub del { opacity: .75; }
code { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
footer { margin-top: 3rem; color: var(--muted); font-size: .85rem; }
@media (max-width: 36rem) { main { padding: 1.5rem .9rem 3rem; }
  .utterance dl, .opened dl { grid-template-columns: 1fr; gap: 0; }
  .utterance dd { margin-bottom: .5rem; } .utterance .change { margin-left: 0; width: 100%; }
  #findings + .scroll :is(th, td) { padding-inline: .35rem; }
  #findings + .scroll :is(th, td):nth-child(3), #findings + .scroll :is(th, td):nth-child(6) { display: none; }
  th, td { padding: .4rem .55rem; } .tile b { font-size: 1.5rem; } .tiles { grid-template-columns: 1fr 1fr; } }
@media print { .scroll { overflow: visible; } audio, .filter, #evidence-section { display: none; }
  .card { break-inside: avoid; } }
"""
