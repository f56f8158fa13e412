// Reading needs none of this but for the figures inside (without it they are read from the files
// beside the page): it filters, searches, and opens what a link points to.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const get = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");
  const form = document.querySelector(".filter");
  const claims = all(".claim");
  const fields = { q: get("q"), paper: get("paper"), tag: get("tag") };

  function apply() {
    const words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = all("input[name=state]:checked", form).map((box) => box.value);
    const paper = fields.paper ? fields.paper.value : "", tag = fields.tag ? fields.tag.value : "";
    let shown = 0;
    for (const claim of claims) {
      const data = claim.dataset;
      claim.hidden = !(
        (!states.length || states.includes(data.state)) &&
        (!paper || data.paper === paper) &&
        (!tag || data.tags.split(" ").includes(tag)) &&
        words.every((word) => data.text.includes(word))
      );
      shown += !claim.hidden;
    }
    const narrowed = shown < claims.length;
    for (const section of all(".paper")) {
      section.hidden = narrowed && !section.querySelector(".claim:not([hidden])");
      for (const beside of all(".beside", section)) beside.hidden = narrowed && section.dataset.paper !== paper;
    }
    get("nothing").hidden = shown > 0;
    get("shown").textContent = narrowed ? `${shown} of ${claims.length} claims` : `${claims.length} claims`;
    remember(words, states, paper, tag);
  }

  function remember(words, states, paper, tag) {
    const query = new URLSearchParams();
    if (words.length) query.set("q", words.join(" "));
    for (const state of states) query.append("state", state);
    if (paper) query.set("paper", paper);
    if (tag) query.set("tag", tag);
    const text = query.toString();
    history.replaceState(null, "", location.pathname + (text ? `?${text}` : "") + location.hash);
  }

  function recall() {
    const query = new URLSearchParams(location.search);
    for (const [name, field] of Object.entries(fields)) if (field) field.value = query.get(name) || "";
    for (const box of all("input[name=state]", form)) box.checked = query.getAll("state").includes(box.value);
  }

  function follow() {
    const covered = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    document.documentElement.style.scrollPaddingTop = `${covered + 12}px`;
    const target = get(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target.matches(".claim")) target.querySelector("details").open = true;
    target.scrollIntoView();
  }

  function unfold(open, which = "main details:not(.code)") {
    for (const details of all(which)) details.open = open;
    get("unfold").setAttribute("aria-pressed", open);
  }

  async function unpack(image) {
    const bytes = Uint8Array.from(atob(image.dataset.packed), (letter) => letter.charCodeAt(0));
    const svg = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    image.src = `data:image/svg+xml,${encodeURIComponent(await new Response(svg).text())}`;
  }

  all("img[data-packed]").forEach(unpack);
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply)); // the event comes before the fields change
  get("unfold").addEventListener("click", () => unfold(get("unfold").getAttribute("aria-pressed") !== "true"));
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => unfold(true, ".more, .legend"));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) {
      event.preventDefault();
      fields.q.focus();
    }
  });
  recall();
  apply();
  follow();
})();
