// The rows that were not taken.

const rejectFilters = at("reject-filters"), rejects = { offset: 0, found: 0 };
let askingRejects = null;
const loadRejects = async () => {
  askingRejects?.abort();
  const mine = askingRejects = new AbortController();
  const query = new URLSearchParams({ offset: rejects.offset, limit: PAGE });
  query.set("search", rejectFilters.elements.search.value);
  const reason = rejectFilters.elements.reason.value;
  if (reason.startsWith("=")) query.set("reason", reason.slice(1));
  let found;
  try {
    found = await ask("rejected?" + query, mine.signal);
  } catch (error) {
    if (error.name !== "AbortError") at("reject-count").textContent = error.message;
    return;
  }
  rejects.found = found.found;
  at("rejected").tBodies[0].replaceChildren(...found.rows.map(row => {
    const line = make("tr"), reasonCell = make("th", row.reason), raw = make("td", undefined, "left raw");
    reasonCell.scope = "row";
    for (const [name, value] of Object.entries(row.row ?? {})) {
      if (value === null || value === "") continue;
      raw.append(make("div", `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`));
    }
    line.append(reasonCell, make("td", row.source ?? "–", "left path"), make("td", row.line ?? "–"),
      make("td", row.sentence, "left sentence"), raw);
    return line;
  }));
  at("reject-count").textContent = plural(found.found, "row");
  pager(at("panel-rejected"), found, found.offset + found.rows.length);
};
const rejectsAfresh = () => { rejects.offset = 0; return loadRejects(); };
let typingRejects = 0;
rejectFilters.addEventListener("input", () => {
  clearTimeout(typingRejects);
  typingRejects = setTimeout(rejectsAfresh, 150);
});
rejectFilters.addEventListener("submit", event => event.preventDefault());
at("panel-rejected").querySelectorAll(".pager button").forEach(button => button.addEventListener("click", () => {
  rejects.offset = Math.max(0, rejects.offset + Number(button.dataset.step) * PAGE);
  loadRejects();
}));
