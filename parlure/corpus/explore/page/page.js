// The page's only script. Everything that comes from a corpus is written by textContent: no transcript becomes markup.
(() => {
  "use strict";
  const PAGE = 100; // rows
  const COLUMNS = [ // key of the order, heading, whether it is a number
    ["id", "id"], ["split", "split"], ["speaker", "speaker"], ["session", "session"], ["duration", "seconds", true],
    ["pace", "characters / s", true], ["text", "text"], ["tags", "tags"],
  ];
  const at = id => document.getElementById(id);
  const make = (tag, text, css) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (css) node.className = css;
    return node;
  };
  const number = value => value.toLocaleString("en").replaceAll(",", "\u202f");
  const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  const length = seconds => seconds >= 3600 ? `${(seconds / 3600).toFixed(1)} h`
    : seconds >= 60 ? `${(seconds / 60).toFixed(1)} min` : `${seconds.toFixed(1)} s`;

  const ask = async (path, signal) => {
    let answer;
    try {
      answer = await fetch(path, { signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("parlure explore has ended: start it again, and take the new address");
    }
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.hint ? `${said.message} – ${said.hint}` : said.message);
    return said;
  };
  const show = (node, text) => { node.textContent = text; node.hidden = !text; };

  // ---- the corpus as a whole

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

  // ---- the table of utterances

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

  // ---- the chosen utterance: sound, waveform, spectrogram, segments

  const sound = at("sound"), sight = at("sight"), position = at("position");
  let chosen = null, drawn = null, looking = null;

  const dock = shown => { // what lies under it can still be scrolled into view
    at("dock").hidden = !shown;
    const height = shown ? `${at("dock").offsetHeight + 8}px` : "";
    document.documentElement.style.scrollPaddingBottom = document.body.style.paddingBottom = height;
  };
  const choose = index => {
    const row = view.rows[index];
    if (!row) return;
    mark(index);
    if (chosen?.id !== row.id) open(row);
    body.rows[index].scrollIntoView({ block: "nearest" });
    if (at("at-once").checked) play();
  };
  const open = row => {
    chosen = row;
    drawn = null;
    sound.pause();
    sound.src = "audio?" + new URLSearchParams({ id: row.id });
    at("chosen-id").textContent = row.id;
    const about = at("chosen-about"), file = row.recording.split(/[\\/]/).pop();
    about.replaceChildren([row.split, row.language, row.speaker].filter(Boolean).join(" · "));
    if (row.session) {
      const all = make("button", row.session, "link");
      all.type = "button";
      all.title = "Show this session alone";
      all.addEventListener("click", () => { view.session = row.session; afresh(); });
      about.append(" · session ", all);
    }
    about.append(` · ${file} ${row.start.toFixed(2)}–${row.end.toFixed(2)} s` +
      (row.channel === null ? "" : `, channel ${row.channel}`));
    about.title = row.recording;
    const text = at("chosen-text");
    text.textContent = row.text || "(no speech)";
    text.lang = row.task === "translate" ? "en" : row.language;
    text.dir = "auto";
    at("keep").href = sound.src;
    at("keep").download = row.id.replaceAll(/[^\p{L}\p{N}._-]/gu, "_") + ".wav";
    position.max = row.duration_s;
    at("measured").textContent = "";
    show(at("chosen-trouble"), "");
    drawSegments(row);
    dock(true);
    draw();
    tick();
    look(row);
  };
  const look = async row => {
    looking?.abort();
    looking = new AbortController();
    try {
      const picture = await ask("picture?" + new URLSearchParams({ id: row.id }), looking.signal);
      drawn = { ...picture, points: Uint8Array.from(atob(picture.spectrogram), letter => letter.charCodeAt(0)) };
      position.max = picture.seconds;
      const decibel = value => value.toFixed(1).replace("-", "\u2212");
      const parts = [picture.level_db === null ? "silent: every sample is zero" : `level ${decibel(picture.level_db)} dB`];
      if (picture.snr_db !== null) parts.push(`SNR about ${picture.snr_db.toFixed(0)} dB`);
      if (picture.at_full_scale) parts.push(`${plural(picture.at_full_scale, "sample")} at full scale`);
      at("measured").textContent = parts.join(" · ");
      draw();
    } catch (error) {
      if (error.name !== "AbortError") show(at("chosen-trouble"), error.message);
    }
  };
  const drawSegments = row => {
    const pieces = row.segments ?? [], share = seconds => `${100 * seconds / row.duration_s}%`;
    at("marks").replaceChildren(...pieces.map(([start, end]) => {
      const band = make("i");
      band.style.left = share(start);
      band.style.width = share(end - start);
      return band;
    }));
    at("segments").replaceChildren(...pieces.map(([start, end, text, speaker]) => {
      const item = make("li"), button = make("button", undefined, "segment");
      button.type = "button";
      button.append(make("b", `${start.toFixed(2)}–${end.toFixed(2)}${speaker ? " " + speaker : ""}`), text);
      button.addEventListener("click", () => { seek(start); play(); });
      item.append(button);
      return item;
    }));
  };
  const colour = name => { // of the style sheet, as [red, green, blue]
    const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
    return [0, 2, 4].map(place => parseInt(hex.slice(place, place + 2), 16));
  };
  const draw = () => {
    const wave = at("wave"), scale = devicePixelRatio || 1, pen = wave.getContext("2d");
    wave.width = Math.max(1, Math.round(wave.clientWidth * scale));
    wave.height = Math.round(wave.clientHeight * scale);
    const middle = wave.height / 2, canvas = at("spectrogram");
    pen.fillStyle = `rgb(${colour("--line")})`;
    pen.fillRect(0, Math.floor(middle), wave.width, 1);
    if (!drawn) {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    const loudest = Math.max(1e-4, ...drawn.high.map(Math.abs), ...drawn.low.map(Math.abs));
    pen.fillStyle = `rgb(${colour("--tuned")})`;
    for (let x = 0; x < wave.width; x++) {
      const from = Math.floor(x * drawn.low.length / wave.width);
      const to = Math.max(from + 1, Math.ceil((x + 1) * drawn.low.length / wave.width));
      const top = Math.max(...drawn.high.slice(from, to)) / loudest, bottom = Math.min(...drawn.low.slice(from, to)) / loudest;
      pen.fillRect(x, middle * (1 - top), 1, Math.max(1, middle * (top - bottom)));
    }
    drawSpectrogram(canvas);
  };
  const drawSpectrogram = canvas => {
    const { columns, bands, points } = drawn, pen = canvas.getContext("2d");
    canvas.width = columns;
    canvas.height = bands;
    const stops = [colour("--paper"), colour("--tuned"), colour("--ink")], image = pen.createImageData(columns, bands);
    const ramp = Array.from({ length: 256 }, (_, value) => {
      const place = value / 255 * 2, step = Math.min(1, Math.floor(place)), part = place - step;
      return stops[step].map((one, index) => one + (stops[step + 1][index] - one) * part);
    });
    for (let x = 0; x < columns; x++) {
      for (let y = 0; y < bands; y++) {
        image.data.set([...ramp[points[x * bands + y]], 255], 4 * ((bands - 1 - y) * columns + x));
      }
    }
    pen.putImageData(image, 0, 0);
  };
  const seek = seconds => {
    const last = drawn?.seconds ?? chosen.duration_s;
    sound.currentTime = Math.min(Math.max(0, seconds), Math.max(0, last - 0.01));
    tick();
  };
  const play = () => sound.play().catch(error => {
    if (error.name === "NotAllowedError") show(at("chosen-trouble"), "the browser waits for a click on ▶ before it plays");
  });
  const tick = () => {
    if (!chosen) return;
    const now = sound.currentTime, all = drawn?.seconds ?? chosen.duration_s;
    at("playhead").style.left = `calc(${100 * Math.min(1, now / all)}% - 1px)`;
    at("clock").textContent = `${now.toFixed(2)} s`;
    position.value = now;
    (chosen.segments ?? []).forEach(([start, end], index) =>
      at("segments").children[index].firstChild.setAttribute("aria-current", String(start <= now && now < end)));
    if (!sound.paused) requestAnimationFrame(tick);
  };
  const shut = () => {
    sound.pause();
    looking?.abort();
    chosen = null;
    dock(false);
    body.querySelector("[aria-current]")?.removeAttribute("aria-current");
  };

  const toggle = () => { if (sound.paused) play(); else sound.pause(); };
  sound.addEventListener("play", () => { at("play").textContent = "❚❚"; at("play").setAttribute("aria-label", "Pause"); tick(); });
  for (const name of ["pause", "ended"]) sound.addEventListener(name, () => {
    at("play").textContent = "▶";
    at("play").setAttribute("aria-label", "Play");
    tick();
  });
  at("play").addEventListener("click", toggle);
  at("close").addEventListener("click", shut);
  position.addEventListener("input", () => seek(Number(position.value)));
  sight.addEventListener("click", event => {
    const box = sight.getBoundingClientRect();
    seek((event.clientX - box.left) / box.width * (drawn?.seconds ?? chosen.duration_s));
  });
  addEventListener("resize", () => { if (chosen) { dock(true); draw(); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (chosen) draw(); });

  // ---- rejected rows

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

  // ---- tabs and keys

  const tabs = [at("tab-utterances"), at("tab-rejected")];
  const pick = tab => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      at(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    if (tab === tabs[1]) { shut(); loadRejects(); }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => pick(tab));
    tab.addEventListener("keydown", event => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.stopPropagation();
      pick(tabs[1 - index]);
      tabs[1 - index].focus();
    });
  });
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const place = event.target, panel = tabs[0].getAttribute("aria-selected") === "true" ? filters : rejectFilters;
    const typingHere = place.matches?.("input:not([type=checkbox], [type=range]), select, textarea");
    if (event.key === "Escape" && typingHere) { place.blur(); return; }
    if (typingHere) return;
    const key = event.key, act = {
      "/": () => { panel.elements.search.focus(); panel.elements.search.select(); },
      ...(panel === filters && { j: () => move(1), k: () => move(-1) }),
      ...(chosen && { Escape: shut }),
      ...(chosen && !place.matches?.("input[type=range]") && {
        ArrowLeft: () => seek(sound.currentTime - 1), ArrowRight: () => seek(sound.currentTime + 1),
      }),
      // space on a button presses it, except on one that only chooses a row
      ...(chosen && !place.matches?.("button:not(tbody button, #play), summary, a, input[type=checkbox]") && { " ": toggle }),
    }[key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  ask("overview").then(corpus => { drawOverview(corpus); restore(); return load(); })
    .catch(error => show(at("trouble"), error.message));
})();
