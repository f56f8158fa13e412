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
    return text.toLowerCase().replace(/\u2212/g, "-").replace(/\u00b5/g, "mu").replace(/[\\{}()$]/g, "")
      .replace(/[\u03b1-\u03c9]/g, (letter) => GREEK[letter.charCodeAt(0) - 0x3b1]);
  }

  function pattern(word) {
    const plain = word.replace(/^"|"$/g, "").replace(/\s+/g, " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const exact = /\d/.test(word); // 3 is not 13, nor 3.2 the 3.21
    return new RegExp(exact ? `(?<!\\d|\\d\\.)${plain}(?!\\d|\\.\\d)` : plain);
  }

  // What is searched of a claim: its name and statement, and what else it says; read once.
  const said = new Map();
  function texts(claim) {
    if (!said.has(claim)) {
      const read = (selector) => latin(all(selector, claim).map((one) => plain(one.cloneNode(true))).join(" ").replace(/\s+/g, " "));
      const paper = latin(claim.closest(".paper").querySelector("h3").textContent);
      said.set(claim, { name: read(".name, .statement"), text: `${read(".meta, .formulas, .reason, .sought")} ${paper}` });
    }
    return said.get(claim);
  }

  // The text of a piece of the page as a program reads it: formulas as LaTeX, scripts with ^ and _.
  function plain(piece) {
    for (const formula of all("svg.formula", piece)) formula.replaceWith(`$${formula.getAttribute("aria-label")}$`);
    for (const script of all("sup, sub", piece)) script.replaceWith(`${script.tagName === "SUP" ? "^" : "_"}{${script.textContent}}`);
    return piece.textContent.replace(/\u2212/g, "-");
  }

  // How well a claim meets the words: in its name or statement, or elsewhere; 0 if one is missing.
  function relevance(claim, words) {
    let sum = 1;
    if (!words.length) return sum;
    const { name, text } = texts(claim);
    for (const word of words) {
      const at = word.test(name) ? 3 : word.test(text) ? 1 : 0;
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
      const data = claim.dataset, weight = relevance(claim, words);
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

  // What is scrolled to stands below the form, which stays at the top of a wide window.
  function makeRoom() {
    const covered = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    document.documentElement.style.scrollPaddingTop = `${covered + 12}px`;
    return covered;
  }

  // Who searches from far down sees the best match, and not what is left at that place.
  function showFirst() {
    const first = fields.q.value.trim() && document.querySelector(".paper:not([hidden]) .claim:not([hidden])");
    if (first && first.getBoundingClientRect().top < makeRoom()) first.scrollIntoView();
  }

  function follow() {
    makeRoom();
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

  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  // The letters are packed once for all figures; a figure gets those that it uses.
  const letters = unpacked(get("letters").textContent).then(JSON.parse);
  const unpacking = new Map();
  function unpack(image) {
    if (!unpacking.has(image)) unpacking.set(image, draw(image));
    return unpacking.get(image);
  }

  async function draw(image) {
    const packed = image.dataset.packed;
    delete image.dataset.packed;
    const [folded, known] = await Promise.all([unpacked(packed), letters]);
    const bare = folded.replace(/<marks of="(\w+)" at="([^"]*)"\/>/g, (_, name, places) =>
      places.replace(/([^ ,]+),([^ ]+) ?/g, `<use xlink:href="#${name}" x="$1" y="$2"/>`));
    const used = new Set([...bare.matchAll(/href="#([^"]+)"/g)].map((found) => found[1]).filter((name) => known[name]));
    const paths = [...used].map((name) => `<path id="${name}" d="${known[name]}" transform="scale(0.015625)"/>`);
    image.src = `data:image/svg+xml,${encodeURIComponent(bare.replace(/<svg[^>]*>/, (start) => `${start}<defs>${paths.join("")}</defs>`))}`;
    const id = image.closest("figure").id;
    for (const small of all("img[data-same]")) if (small.dataset.same === id) small.src = image.src;
  }

  // Figures are unpacked as they come near the window; those of the findings also beforehand, as
  // a print shows them all.
  function unpackWhereNear() {
    const small = all("img[data-same]"), figure = (image) => get(image.dataset.same).querySelector("img");
    const near = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen)
        if (isIntersecting) unpack(target.dataset.same ? figure(target) : target);
    }, { rootMargin: "600px" });
    for (const image of all("img[data-packed], img[data-same]")) near.observe(image);
    const next = () => small.length && unpack(figure(small.shift())).then(() => setTimeout(next, 100));
    setTimeout(next, 1000);
  }

  // Listings and notes are packed by paper, and put in their places once a reader opens one.
  const pieces = new Map();
  async function fill(details) {
    const empty = all("[data-piece]", details).filter((place) => place.closest("details") === details);
    if (!empty.length) return;
    const section = details.closest("section"), store = section.querySelector(":scope > .pieces");
    if (!pieces.has(section)) pieces.set(section, unpacked(store.textContent).then(JSON.parse));
    const found = await pieces.get(section);
    for (const place of empty)
      if (place.dataset.piece) {
        place.innerHTML = found[place.dataset.piece];
        place.removeAttribute("data-piece");
      }
  }

  // Whether the files beside the page are there: an image can be asked for, from a disk as well.
  function askForFiles() {
    const beside = document.querySelector(".files a[href$='.svg']");
    if (!beside) return;
    const probe = new Image();
    probe.onerror = () => {
      get("alone").hidden = false;
      document.documentElement.classList.add("alone");
    };
    probe.src = beside.getAttribute("href");
  }

  // Of a page without its files a figure is saved from the page itself, other links are put away.
  function followAlone(event) {
    const link = event.target.closest("a[href]");
    if (!link || !document.documentElement.classList.contains("alone") || /^(#|https?:)/.test(link.getAttribute("href"))) return;
    const image = link.closest("figure")?.querySelector("img");
    if (link.getAttribute("href").endsWith(".svg") && image?.src) {
      const saved = Object.assign(document.createElement("a"), { href: image.src, download: link.getAttribute("href").split("/").pop() });
      saved.click();
    }
    event.preventDefault();
  }

  // Numbers are copied with the sign that a program reads, formulas as their LaTeX.
  function copy(event) {
    const chosen = getSelection();
    if (!chosen.rangeCount || chosen.isCollapsed) return;
    const piece = document.createElement("div");
    piece.append(chosen.getRangeAt(0).cloneContents());
    if (!piece.querySelector("svg.formula, sup, sub") && !/\u2212/.test(chosen)) return;
    event.clipboardData.setData("text/plain", plain(piece));
    event.preventDefault();
  }

  // What a button of a claim copies, read from what stands in the claim.
  function copied(claim, kind) {
    const id = claim.id, number = (name) => `\\widenets{${id}${name}}`;
    if (kind === "command") return all(".facts code", claim).map((one) => one.textContent).find((text) => text.startsWith("python -m"));
    if (kind === "numbers") return all(".numbers > div", claim).map((row) => [...row.cloneNode(true).children].map((one) => plain(one).replace(/\s+/g, " ").trim()).join(": ")).join("\n");
    if (kind === "LaTeX") return `${number("")} [${number(".low")}, ${number(".high")}] % \\input{numbers.tex}`;
    return all(".formulas svg.formula", claim).map((one) => one.getAttribute("aria-label")).join("\n") || plain(claim.querySelector(".formulas").cloneNode(true)).trim();
  }

  // The clipboard where the browser lets us, else by the copy of a selection (a page from a disk).
  async function toClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      if (!done) throw new Error("the browser does not let this page copy");
    }
  }

  async function copyButton(button) {
    const said = button.parentElement.querySelector("output");
    try {
      await toClipboard(copied(button.closest(".claim"), button.dataset.copy));
      said.textContent = `${button.dataset.copy} copied`;
    } catch (error) {
      said.textContent = error.message;
    }
    button.focus();
  }

  // A figure as PNG, three times its size on the page, with its white ground.
  async function savePng(button) {
    const figure = button.closest("figure"), image = figure.querySelector(".enlarge img");
    await unpack(image);
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 3 * image.width, height: 3 * image.height });
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: `${figure.id}.png` }).click();
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

  async function enlarge(image) {
    await unpack(image); // a reader may be quicker
    const view = get("enlarged"), large = new Image();
    Object.assign(large, { src: image.src, alt: image.alt });
    view.querySelector(".stage").replaceChildren(large);
    view.showModal();
  }

  unpackWhereNear();
  document.addEventListener("toggle", (event) => event.target.open && fill(event.target), true);
  document.addEventListener("click", (event) => event.target.closest(".sortable button") && sort(event.target));
  for (const button of all(".enlarge")) button.addEventListener("click", () => enlarge(button.querySelector("img")));
  document.addEventListener("copy", copy);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.copy) copyButton(button);
    if (button?.matches(".png")) savePng(button);
  });
  document.addEventListener("click", followAlone);
  askForFiles();
  form.addEventListener("input", () => {
    apply();
    showFirst();
  });
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
