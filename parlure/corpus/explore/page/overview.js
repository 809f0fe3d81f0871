// The corpus as a whole: totals, and what there is to choose from.

const tile = (label, value, below) => {
  const node = make("div", undefined, "tile");
  node.append(make("span", label), make("b", value));
  if (below) node.append(make("span", below));
  return node;
};
const totalsTable = (heading, rows, all) => {
  const part = make("div"), scroll = make("div", undefined, "scroll"), table = make("table");
  const head = make("tr"), body = make("tbody"), top = make("thead");
  const last = heading === "speaker" ? "sessions" : "speakers";
  for (const [name, css] of [[heading, "left"], ["utterances"], ["time"], [last]]) {
    const cell = make("th", name, css);
    cell.scope = "col";
    head.append(cell);
  }
  for (const row of rows) {
    const line = make("tr"), name = make("th", row.name || "(none)");
    name.scope = "row";
    line.append(name, make("td", number(row.utterances)), make("td", length(row.seconds)),
      make("td", number(row[last])));
    body.append(line);
  }
  top.append(head);
  table.append(top, body);
  scroll.append(table);
  part.append(make("h3", rows.length < all ? `By ${heading}: the first ${number(rows.length)} of ${number(all)}`
    : `By ${heading}`), scroll);
  return part;
};
const options = (select, all, rows, nameOf, countOf) => {
  select.replaceChildren(new Option(all, "all"), ...rows.map(row => // a value may be empty: = marks one that is chosen
    new Option(`${nameOf(row)} (${number(countOf(row))})`, "=" + row.name)));
};
const drawOverview = corpus => {
  document.title = `${corpus.name} – parlure explore`;
  at("name").textContent = corpus.name;
  at("folder").textContent = corpus.folder;
  const total = corpus.total;
  at("tiles").replaceChildren(
    tile("utterances", number(total.utterances),
      corpus.splits.map(split => `${split.name} ${number(split.utterances)}`).join(" · ")),
    tile("speech", length(total.seconds), corpus.splits.map(split => `${split.name} ${length(split.seconds)}`).join(" · ")),
    tile("speakers", number(total.speakers), total.speakers ? "" : "none is named"),
    tile("sessions", number(total.sessions), total.sessions ? "" : "none is named"),
    tile("rejected rows", number(corpus.rejected), corpus.reasons.slice(0, 3).map(one => one.name).join(" · ")));
  at("cautions").hidden = !corpus.warnings.length;
  at("cautions").querySelector("ul").replaceChildren(...corpus.warnings.map(text => make("li", text)));
  const tagged = corpus.tags.some(tag => tag.name);
  at("totals-tables").replaceChildren(
    totalsTable("split", corpus.splits, corpus.splits.length),
    totalsTable("language", corpus.languages, corpus.languages.length),
    totalsTable("speaker", corpus.speakers, corpus.n_speakers),
    ...(tagged ? [totalsTable("tag", corpus.tags, corpus.n_tags)] : []));
  const fields = at("filters").elements;
  const byName = rows => [...rows].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const name = row => row.name || "(none)", count = row => row.utterances;
  options(fields.split, "all", corpus.splits, name, count);
  options(fields.language, "all", corpus.languages, name, count);
  options(fields.speaker, "all", byName(corpus.speakers), name, count);
  options(fields.tag, "all", byName(corpus.tags), name, count);
  fields.tag.closest("label").hidden = !tagged;
  fields.language.closest("label").hidden = corpus.languages.length < 2;
  options(at("reject-filters").elements.reason, "all", corpus.reasons, name, row => row.rows);
  at("tab-rejected").textContent = `Rejected rows (${number(corpus.rejected)})`;
};
