// The ranking: its rows, which of them is chosen, and how far one has come.

const list = at("list"), filters = at("filters");
const view = { rows: [], found: 0, chosen: -1 };

const STATES = { corrected: "corrected", silent: "nobody speaks", confirmed: "right", rejected: "rejected" };
const drawRow = (row, index) => {
  const item = list.children[index] ?? list.appendChild(make("li")), button = make("button", undefined, "row");
  button.type = "button";
  if (row.done) button.append(make("span", `✓ ${STATES[row.done]}`, "state"));
  const text = make("b", row.text || "(no speech)");
  text.lang = row.task === "translate" ? "en" : row.language;
  text.dir = "auto";
  button.append(text, make("span", row.split, row.split === "test" ? "split of-test" : "split"), make("span", row.reasons[0]));
  button.setAttribute("aria-current", String(index === view.chosen));
  button.addEventListener("click", () => choose(index));
  item.replaceChildren(button);
};
const drawCount = () => {
  const left = view.rows.filter(row => !row.done).length;
  at("count").textContent = `${plural(view.found, "utterance")}${view.found > view.rows.length ? `, ${view.rows.length} shown` : ""}, ${left} to hear`;
  at("more").hidden = view.rows.length >= view.found;
};
const load = async more => {
  const query = new URLSearchParams({ offset: more ? view.skip : 0 });
  if (filters.elements.split.value) query.set("split", filters.elements.split.value);
  if (filters.elements.open.checked) query.set("open", "1");
  const page = await ask("suspects?" + query);
  view.found = page.found + (more ? view.rows.filter(row => row.done).length * filters.elements.open.checked : 0);
  const known = new Set(more ? view.rows.map(row => row.id) : []);
  view.rows = more ? [...view.rows, ...page.rows.filter(row => !known.has(row.id))] : page.rows;
  if (!more) { view.chosen = -1; list.replaceChildren(); }
  view.rows.forEach(drawRow);
  drawCount();
  if (!more) { if (view.rows.length) choose(0, true); else at("work").hidden = true; }
};
Object.defineProperty(view, "skip", { // what is done has left the server's list where only the rest is asked for
  get: () => filters.elements.open.checked ? view.rows.filter(row => !row.done).length : view.rows.length,
});
const next = step => {
  let index = view.chosen + step;
  while (filters.elements.open.checked && view.rows[index]?.done) index += step;
  if (view.rows[index]) choose(index);
};
const drawCounts = counts => {
  const said = Object.entries(counts).map(([kind, splits]) => [kind, Object.values(splits).reduce((a, b) => a + b, 0), splits.test])
    .filter(([, all]) => all).map(([kind, all, test]) => `${number(all)} ${kind}${test ? ` (${number(test)} of test)` : ""}`);
  at("about").textContent = [overview.folder, `listener ${overview.who}`, said.join(", ") || "nothing corrected yet"].join(" · ");
};
filters.addEventListener("input", () => load().catch(error => show(at("trouble"), error.message)));
filters.addEventListener("submit", event => event.preventDefault());
at("more").addEventListener("click", () => load(true).catch(error => show(at("trouble"), error.message)));
