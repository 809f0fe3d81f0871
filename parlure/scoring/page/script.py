"""The page's only script: the table of all utterances, sorted, searched and opened in place.

It builds its rows from the JSON of :mod:`parlure.scoring.page.evidence` by ``textContent`` alone, so that no transcript
becomes markup. Without it everything else on the page still reads.
"""

from __future__ import annotations

import base64
import hashlib

SCRIPT = """
(() => {
  const packed = document.getElementById("evidence-data");
  if (!packed) return;
  const data = JSON.parse(packed.textContent);
  const table = document.getElementById("evidence"), body = table.tBodies[0];
  const search = document.getElementById("evidence-search"), which = document.getElementById("evidence-which");
  const count = document.getElementById("evidence-count"), more = document.getElementById("evidence-more");
  const buttons = [...table.tHead.querySelectorAll("button")];
  let key = data.sort, down = true, shown = 50, rows = [];
  document.getElementById("evidence-section").hidden = false;
  const make = (tag, text, css) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (css) node.className = css;
    return node;
  };
  const change = row => data.pair ? row.e[data.pair[1]] - row.e[data.pair[0]] : 0;
  const value = row => typeof key === "number" ? row.e[key] : key === "change" ? change(row) : row[key];
  const difference = steps => {
    const line = make("dd");
    steps.forEach((step, index) => {
      if (index) line.append(" ");
      if (typeof step === "string") { line.append(step); return; }
      const [said, heard] = step, both = said !== null && heard !== null;
      const place = both ? make("span", undefined, "sub") : line;
      if (said !== null) place.append(make("del", said));
      if (both) place.append(" ");
      if (heard !== null) place.append(make("ins", heard));
      if (both) line.append(place);
    });
    if (!steps.length) line.append(make("i", "(nothing)"));
    return line;
  };
  const player = row => {
    const source = row.a || document.getElementById("clip-" + row.i)?.src;
    if (!source) return make("p", "no player: the page holds a limited number of clips", "note");
    const sound = make("audio");
    sound.controls = true;
    sound.src = source;
    return sound;
  };
  const open = (row, line, button) => {
    const next = line.nextElementSibling;
    if (next?.classList.contains("opened")) { next.remove(); button.setAttribute("aria-expanded", "false"); return; }
    const inside = make("tr", undefined, "opened"), cell = make("td"), list = make("dl");
    cell.colSpan = table.tHead.rows[0].cells.length;
    list.append(make("dt", "reference"), make("dd", row.r || "(no speech)"));
    data.systems.forEach((name, index) => list.append(make("dt", name), difference(row.o[index])));
    if (data.sound) cell.append(player(row));
    cell.append(list);
    inside.append(cell);
    line.after(inside);
    button.setAttribute("aria-expanded", "true");
  };
  const draw = () => {
    body.replaceChildren(...rows.slice(0, shown).map(row => {
      const line = make("tr"), head = make("th"), button = make("button", row.i, "link");
      head.scope = "row";
      button.type = "button";
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", () => open(row, line, button));
      head.append(button);
      line.append(head, make("td", row.s, "left"), make("td", row.d?.toFixed(1) ?? ""),
        make("td", row.n));
      row.e.forEach(errors => line.append(make("td", errors)));
      if (data.pair) {
        const by = change(row);
        line.append(make("td", (by > 0 ? "+" : "") + String(by).replace("-", "\\u2212"),
          by < 0 ? "verdict-better" : by > 0 ? "verdict-worse" : ""));
      }
      return line;
    }));
    count.textContent = `${Math.min(shown, rows.length)} of ${rows.length} shown` +
      (rows.length < data.rows.length ? `, ${data.rows.length} in all` : "");
    more.hidden = shown >= rows.length;
  };
  const select = () => {
    const words = search.value.toLocaleLowerCase().split(/\\s+/).filter(Boolean), kind = which.value;
    rows = data.rows.filter(row => words.every(word => row.t.includes(word)) && (kind === "all" ||
      (kind === "wrong" ? row.e[data.judged] > 0 : kind === "better" ? change(row) < 0 : change(row) > 0)));
    rows.sort((a, b) => {
      const x = value(a), y = value(b);
      const order = typeof x === "string" ? x.localeCompare(y) : (x ?? -1) - (y ?? -1);
      return (down ? -order : order) || a.k - b.k;
    });
    draw();
  };
  buttons.forEach(button => button.addEventListener("click", () => {
    const chosen = /^\\d+$/.test(button.dataset.key) ? Number(button.dataset.key) : button.dataset.key;
    down = chosen === key ? !down : true;
    key = chosen;
    buttons.forEach(one => one.parentNode.setAttribute("aria-sort",
      one === button ? (down ? "descending" : "ascending") : "none"));
    select();
  }));
  search.addEventListener("input", () => { shown = 50; select(); });
  which.addEventListener("change", () => { shown = 50; select(); });
  more.addEventListener("click", () => { shown += 200; draw(); });
  select();
})();
"""


def script_hash() -> str:
    """The script's hash for the page's content security policy: no other script may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode("utf-8")).digest()).decode("ascii")
