// Reading needs none of this but for the figures inside (without it they are read from the files
// beside the page): it filters, searches, and opens what a link points to.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const get = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");
  const form = document.querySelector(".filter");
  const claims = all(".claim");
  const sections = all(".paper");
  const claimsOf = new Map(sections.map((section) => [section, all(".claim", section)]));
  let arranged = false;
  const fields = { q: get("q"), paper: get("paper"), tag: get("tag") };

  // Words of the query; what belongs together stays so: "quoted text", figure 3, theorem 2.1.
  const PHRASES = /"[^"]+"|\b(?:figures?|fig\.?|theorem|lemma|proposition|table|section|equation|eq\.?|appendix)\s+\(?[\d.]+\w*\)?|\S+/g;
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega".split(" ");

  function latin(text) {
    return text.toLowerCase().replace(/\u2212/g, "-").replace(/\u00b5/g, "mu").replace(/\\/g, "")
      .replace(/[\u03b1-\u03c9]/g, (letter) => GREEK[letter.charCodeAt(0) - 0x3b1]);
  }

  function pattern(word) {
    const plain = word.replace(/^"|"$/g, "").replace(/\s+/g, " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const exact = /\d/.test(word); // 3 is not 13, nor 3.2 the 3.21
    return new RegExp(exact ? `(?<!\\d|\\d\\.)${plain}(?!\\d|\\.\\d)` : plain);
  }

  // How well a claim meets the words: in its name or statement, or elsewhere; 0 if one is missing.
  function relevance(data, words) {
    let sum = 1;
    for (const word of words) {
      const at = word.test(data.name) ? 3 : word.test(data.text) ? 1 : 0;
      if (!at) return 0;
      sum += at;
    }
    return sum;
  }

  function apply() {
    const query = fields.q.value.trim(), words = (latin(query).match(PHRASES) || []).map(pattern);
    const states = all("input[name=state]:checked", form).map((box) => box.value);
    const paper = fields.paper ? fields.paper.value : "", tag = fields.tag ? fields.tag.value : "";
    const weights = new Map();
    let shown = 0;
    for (const claim of claims) {
      const data = claim.dataset, weight = relevance(data, words);
      claim.hidden = !(
        weight &&
        (!states.length || states.includes(data.state)) &&
        (!paper || data.paper === paper) &&
        (!tag || data.tags.split(" ").includes(tag))
      );
      weights.set(claim, claim.hidden ? 0 : weight);
      shown += !claim.hidden;
    }
    const narrowed = shown < claims.length;
    for (const section of sections) {
      const own = claimsOf.get(section);
      section.hidden = narrowed && !own.some((claim) => !claim.hidden);
      beside(section, own, narrowed && section.dataset.paper !== paper);
    }
    arrange(weights, words.length > 0);
    get("nothing").hidden = shown > 0;
    get("shown").textContent = narrowed ? `${shown} of ${claims.length} claims` : `${claims.length} claims`;
    remember(query, states, paper, tag);
  }

  // Figures stay with their claims; the rest of what stands beside goes while claims are narrowed.
  function beside(section, own, narrowed) {
    const seen = new Set(own.filter((claim) => !claim.hidden).map((claim) => claim.id.split(".")[1]));
    for (const figure of all("figure", section))
      figure.hidden = narrowed && !figure.dataset.claims.split(" ").some((claim) => seen.has(claim));
    const drawn = section.querySelector("figure:not([hidden])");
    for (const part of all(".beside > *", section)) part.hidden = narrowed && !(drawn && part.matches(".figures, .of-figures"));
  }

  // The best matches first, within each paper and among papers; else as they were written.
  function arrange(weights, ranked) {
    const best = (section) => Math.max(0, ...claimsOf.get(section).map((claim) => weights.get(claim)));
    const order = (list, weight) => (ranked ? [...list].sort((a, b) => weight(b) - weight(a)) : list);
    if (!ranked && !arranged) return;
    arranged = ranked;
    for (const section of order(sections, best)) get("nothing").before(section);
    for (const section of sections)
      for (const claim of order(claimsOf.get(section), (one) => weights.get(one))) section.querySelector(".beside").before(claim);
  }

  function remember(text, states, paper, tag) {
    const query = new URLSearchParams();
    if (text) query.set("q", text);
    for (const state of states) query.append("state", state);
    if (paper) query.set("paper", paper);
    if (tag) query.set("tag", tag);
    const settings = query.toString();
    history.replaceState(null, "", location.pathname + (settings ? `?${settings}` : "") + location.hash);
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
    const id = image.closest("figure").id;
    for (const small of all("img[data-same]")) if (small.dataset.same === id) small.src = image.src;
  }

  // Numbers are copied with the sign that a program reads, formulas as their LaTeX.
  function copy(event) {
    const chosen = getSelection();
    if (!chosen.rangeCount || chosen.isCollapsed) return;
    const piece = document.createElement("div");
    piece.append(chosen.getRangeAt(0).cloneContents());
    if (!piece.querySelector("svg.formula, sup, sub") && !/\u2212/.test(chosen)) return;
    for (const formula of all("svg.formula", piece)) formula.replaceWith(`$${formula.getAttribute("aria-label")}$`);
    for (const script of all("sup, sub", piece)) script.replaceWith(`${script.tagName === "SUP" ? "^" : "_"}{${script.textContent}}`);
    event.clipboardData.setData("text/plain", piece.textContent.replace(/\u2212/g, "-"));
    event.preventDefault();
  }

  function sort(button) {
    const head = button.closest("th"), body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    const value = (row) => row.cells[column].textContent.replace(/\u2212/g, "-");
    const number = (text) => (text.trim() === "" || isNaN(text) ? null : +text);
    const compare = (a, b) => {
      const [x, y] = [number(a), number(b)];
      return x !== null && y !== null ? x - y : x !== null ? -1 : y !== null ? 1 : a.localeCompare(b);
    };
    const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(value(a), value(b)));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  }

  function enlarge(image) {
    const view = get("enlarged"), large = new Image();
    Object.assign(large, { src: image.src, alt: image.alt });
    view.querySelector(".wide").replaceChildren(large);
    view.showModal();
  }

  all("img[data-packed]").forEach(unpack);
  for (const button of all(".sortable button")) button.addEventListener("click", () => sort(button));
  for (const button of all(".enlarge")) button.addEventListener("click", () => enlarge(button.querySelector("img")));
  document.addEventListener("copy", copy);
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply)); // the event comes before the fields change
  get("unfold").addEventListener("click", () => unfold(get("unfold").getAttribute("aria-pressed") !== "true"));
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => unfold(true, ".legend, .list:not(.table)"));
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
