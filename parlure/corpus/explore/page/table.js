// The table of utterances, a page at a time.

const filters = at("filters"), body = at("utterances").tBodies[0];
const view = { sort: "", order: "up", offset: 0, session: null, found: 0, rows: [], chosen: -1 };
let asking = null;

const selection = () => {
  const query = new URLSearchParams();
  for (const name of ["search", "shortest", "longest"]) {
    const text = filters.elements[name].value.trim();
    if (text) query.set(name, text);
  }
  for (const name of ["split", "language", "speaker", "tag"]) {
    const chosen = filters.elements[name].value;
    if (chosen.startsWith("=")) query.set(name, chosen.slice(1));
  }
  if (view.session !== null) query.set("session", view.session);
  if (view.sort) { query.set("sort", view.sort); query.set("order", view.order); }
  return query;
};
const restore = () => { // a reload keeps what was chosen
  const query = new URLSearchParams(location.hash.slice(1));
  for (const name of ["search", "shortest", "longest"]) filters.elements[name].value = query.get(name) ?? "";
  for (const name of ["split", "language", "speaker", "tag"]) {
    const select = filters.elements[name], value = "=" + query.get(name);
    if (query.has(name) && [...select.options].some(option => option.value === value)) select.value = value;
  }
  view.session = query.get("session");
  view.sort = COLUMNS.some(column => column[0] === query.get("sort")) ? query.get("sort") : "";
  view.order = query.get("order") === "down" ? "down" : "up";
  view.offset = Number(query.get("offset")) || 0;
};
const load = async () => {
  asking?.abort();
  const mine = asking = new AbortController(), query = selection();
  const page = new URLSearchParams(query);
  page.set("offset", view.offset);
  history.replaceState(null, "", "#" + page);
  page.set("limit", PAGE);
  try {
    const found = await ask("utterances?" + page, mine.signal);
    if (view.offset && view.offset >= found.found) { view.offset = 0; return load(); }
    Object.assign(view, { rows: found.rows, found: found.found, chosen: -1 });
    show(at("trouble"), "");
    drawRows(found, query);
    return true;
  } catch (error) {
    if (error.name !== "AbortError") show(at("trouble"), error.message);
    return false;
  }
};
const drawRows = (found, query) => {
  body.replaceChildren(...found.rows.map((row, index) => {
    const line = make("tr"), head = make("th"), button = make("button", row.id, "link"), tags = make("td", undefined, "left");
    head.scope = "row";
    button.type = "button";
    head.append(button);
    row.tags.forEach(tag => tags.append(make("span", tag, "tag")));
    line.append(head, make("td", row.split, "left"), make("td", row.speaker ?? "–", "left"),
      make("td", row.session ?? "–", "left"), make("td", row.duration_s.toFixed(2)), make("td", row.chars_per_s.toFixed(1)));
    const text = make("td", row.text || "(no speech)", row.text ? "left text" : "left text muted");
    text.lang = row.task === "translate" ? "en" : row.language;
    text.dir = "auto";
    line.append(text, tags);
    line.addEventListener("click", () => { if (!String(getSelection())) choose(index); });
    return line;
  }));
  const last = found.offset + found.rows.length;
  at("count").textContent = `${plural(found.found, "utterance")}, ${length(found.seconds)}`;
  pager(at("panel-utterances"), found, last);
  at("ids").hidden = !found.found;
  at("ids").textContent = `Ids of ${found.found === 1 ? "this utterance" : `these ${plural(found.found, "utterance")}`}`;
  at("ids").href = "ids.txt?" + query;
  show(at("session"), view.session === null ? "" : `session ${view.session || "(none)"} ×`);
  for (const cell of at("utterances").tHead.rows[0].cells) {
    cell.setAttribute("aria-sort", cell.dataset.key !== view.sort ? "none"
      : view.order === "down" ? "descending" : "ascending");
  }
  const kept = found.rows.findIndex(row => row.id === chosen?.id);
  if (kept >= 0) mark(kept);
};
const pager = (panel, found, last) => {
  const [before, after] = panel.querySelectorAll(".pager button");
  panel.querySelector(".pager span").textContent =
    found.found ? `${number(found.offset + 1)}–${number(last)} of ${number(found.found)}` : "nothing fits";
  before.disabled = !found.offset;
  after.disabled = last >= found.found;
};
const mark = index => {
  body.querySelector("[aria-current]")?.removeAttribute("aria-current");
  view.chosen = index;
  body.rows[index]?.setAttribute("aria-current", "true");
};
const turn = async (step, choice) => {
  const offset = view.offset + step * PAGE;
  if (offset < 0 || offset >= view.found) return;
  view.offset = offset;
  if (await load() && choice !== undefined) choose(choice < 0 ? view.rows.length - 1 : choice);
  else at("utterances").scrollIntoView({ block: "start" });
};
const move = step => {
  const next = view.chosen < 0 ? (step > 0 ? 0 : view.rows.length - 1) : view.chosen + step;
  if (next >= view.rows.length) turn(1, 0);
  else if (next < 0) turn(-1, -1);
  else choose(next);
};
const afresh = () => { view.offset = 0; return load(); };

for (const [key, heading, numeric] of COLUMNS) {
  const cell = make("th", undefined, numeric ? "" : "left"), button = make("button", heading);
  cell.scope = "col";
  cell.dataset.key = key;
  button.type = "button";
  button.addEventListener("click", () => { // up, down, and back to the manifest's order
    if (view.sort !== key) Object.assign(view, { sort: key, order: "up" });
    else if (view.order === "up") view.order = "down";
    else Object.assign(view, { sort: "", order: "up" });
    afresh();
  });
  cell.append(button);
  at("utterances").tHead.rows[0].append(cell);
}
let typing = 0;
filters.addEventListener("input", event => {
  clearTimeout(typing);
  typing = setTimeout(afresh, event.target.tagName === "SELECT" ? 0 : 150);
});
filters.addEventListener("submit", event => { event.preventDefault(); afresh(); });
filters.addEventListener("reset", () => setTimeout(() => { view.session = null; afresh(); }));
at("session").addEventListener("click", () => { view.session = null; afresh(); });
at("panel-utterances").querySelectorAll(".pager button").forEach(button =>
  button.addEventListener("click", () => turn(Number(button.dataset.step))));
