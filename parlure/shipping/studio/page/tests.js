// The report's utterances: a list to choose from, each with what it sounds like and what was made of it.

const filters = at("filters");
let rows = [], chosen = -1, looking = null;

const fill = async offset => {
  looking?.abort();
  looking = new AbortController();
  const asked = new URLSearchParams(new FormData(filters));
  asked.set("offset", offset);
  try {
    const page = await (await ask("studio/data/utterances?" + asked, { signal: looking.signal })).json();
    if (!offset) { rows = []; chosen = -1; at("list").replaceChildren(); }
    for (const row of page.rows) at("list").append(line(row, rows.push(row) - 1));
    at("count").textContent = plural(page.found, "utterance");
    at("more").hidden = rows.length >= page.found;
  } catch (error) {
    trouble(error);
  }
};
const line = (row, place) => {
  const item = make("li"), button = make("button"), change = make("span", undefined, "change");
  button.type = "button";
  if (row.errors) {
    const { base, tuned } = row.errors, both = base !== undefined && tuned !== undefined;
    const shown = both ? [["base", base], ["tuned", tuned]] : Object.entries(row.errors);
    const counts = shown.map(([system, count]) => `${system} ${count}`).join(" → ");
    change.textContent = `${counts} of ${plural(row.n_words, "word")} wrong`;
    if (both && base !== tuned) change.classList.add(tuned < base ? "better" : "worse");
  }
  const about = [row.id, row.speaker, row.duration_s != null && `${row.duration_s.toFixed(1)} s`].filter(Boolean);
  button.append(make("span", about.join(" · "), "id"), change, make("span", row.reference || "nobody speaks", "reference"));
  button.onclick = () => choose(place);
  item.append(button);
  return item;
};
const choose = async place => {
  if (place < 0 || place >= rows.length) return;
  const buttons = at("list").querySelectorAll("button");
  buttons[chosen]?.removeAttribute("aria-current");
  chosen = place;
  buttons[place].setAttribute("aria-current", "true");
  buttons[place].focus({ preventScroll: true });
  buttons[place].scrollIntoView({ block: "nearest" });
  const row = rows[place];
  try {
    const blob = await (await ask("studio/data/audio?" + new URLSearchParams({ id: row.id }))).blob();
    if (at("language").querySelector(`option[value="${row.language}"]`)) at("language").value = row.language;
    at("task").value = row.task;
    await listen(row.id, blob, "utterance.wav", row.reference);
  } catch (error) {
    trouble(error);
  }
};
filters.addEventListener("submit", event => event.preventDefault());
filters.addEventListener("input", () => fill(0));
at("more").onclick = () => fill(rows.length);
