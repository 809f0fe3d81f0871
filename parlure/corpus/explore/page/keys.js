// Tabs and keys; and the beginning of it all.

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
