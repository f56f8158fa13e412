// Values of a figure: the point nearest to the pointer, or reached by the arrow keys where a figure
// is enlarged, is told with its interval. They are read back from the drawing and the scales it
// names, as exact as it is drawn (a thousandth of an axis, and what an axis marks exactly); the CSV
// has all digits.
(() => {
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega".split(" ");
  const SIGNS = { infty: "\u221e", "|": "\u2016", sqrt: "\u221a", sum: "\u2211", propto: "\u221d", times: "\u00d7", to: "\u2192", cdot: "\u00b7", leq: "\u2264", geq: "\u2265", ell: "\u2113", top: "\u1d40", max: "max", min: "min", log: "log", ln: "ln", sup: "sup" };
  const shown = (x) => (x === 0 ? "0" : `${+x.toPrecision(3)}`.replace("-", "\u2212"));

  // A label in letters and signs instead of LaTeX.
  function readable(label) {
    return label.replace(/\\([A-Za-z]+|\|)/g, (_, name) => {
      const place = GREEK.lastIndexOf(name.toLowerCase());
      if (place < 0) return SIGNS[name] ?? "";
      return String.fromCharCode((/^[A-Z]/.test(name) ? 0x391 : 0x3b1) + place);
    }).replace(/\\[,;! ]/g, " ").replace(/[${}\\]|\^(?=\u1d40)/g, "").replace(/\s+/g, " ").trim();
  }

  // The number at a share of an axis, from its lower end; a name where the axis has names.
  function number(axis, share) {
    const place = axis.ends[0] + share * (axis.ends[1] - axis.ends[0]);
    if (axis.kind === "linear") return place;
    if (axis.kind === "log") return axis.base ** place;
    const size = Math.abs(place) / axis.threshold;
    return size <= axis.linear ? place / axis.linear : Math.sign(place) * axis.threshold * axis.base ** (size - axis.linear);
  }

  function bent(axis, value) {
    if (axis.kind === "linear") return value;
    if (axis.kind === "log") return Math.log(value) / Math.log(axis.base);
    const size = Math.abs(value) / axis.threshold;
    return size <= 1 ? value * axis.linear : Math.sign(value) * axis.threshold * (axis.linear + Math.log(size) / Math.log(axis.base));
  }

  function told(axis, share) {
    const near = (tick) => Math.abs((bent(axis, tick) - axis.ends[0]) / (axis.ends[1] - axis.ends[0]) - share) < 0.0012;
    const value = axis.ticks?.find(near) ?? number(axis, share);
    if (axis.names) return readable(axis.names.reduce((best, one) => (Math.abs(one[0] - value) < Math.abs(best[0] - value) ? one : best))[1]);
    return axis.ticks?.includes(value) ? `${value}`.replace("-", "\u2212") : shown(value);
  }

  // [x, y] of the corners of a path of straight lines; none of a path with curves.
  function corners(path) {
    const found = [], text = path.getAttribute("d");
    if (/[CQ]/i.test(text)) return found;
    let [x, y] = [0, 0];
    for (const [, letter, right, down] of text.matchAll(/([MLml])\s*(-?[\d.e-]+)[ ,]+(-?[\d.e-]+)/g)) {
      [x, y] = letter < "a" ? [+right, +down] : [x + +right, y + +down];
      found.push([x, y]);
    }
    return found;
  }

  // What is drawn in a panel: marks, corners of lines, and upright bars, which are intervals.
  function drawn(svg) {
    const marks = [], bars = [];
    for (const one of svg.querySelectorAll("[clip-path] use, use[clip-path], path[clip-path], [clip-path] path")) {
      const style = `${one.getAttribute("style") ?? ""};${one.parentNode.getAttribute("style") ?? ""}`;
      const color = (style.match(/fill: (#\w+)/) ?? style.match(/stroke: (#\w+)/))?.[1] ?? "#000000";
      if (color === "#ececec" || /stroke: #ececec/.test(style)) continue; // the grid
      const faint = /opacity: 0?\.[0-6]/.test(style), dashed = /dasharray/.test(style);
      if (one.tagName === "use") marks.push({ x: +one.getAttribute("x"), y: +one.getAttribute("y"), color, faint, dashed: null });
      else if (/fill: none/.test(style)) {
        const line = corners(one);
        if (line.length === 2 && line[0][0] === line[1][0]) bars.push({ x: line[0][0], ends: [line[0][1], line[1][1]].sort((a, b) => b - a), color });
        else for (const [x, y] of line) marks.push({ x, y, color, faint, dashed });
      }
    }
    return { marks, bars };
  }

  // Points of a panel that a reader may point at, from the left; a line's corner under a mark, and
  // the cap of an interval, are none of their own.
  function points(panel, { marks, bars }, width, height) {
    const [left, top, wide, high] = panel.place, found = [];
    const near = (a, b) => Math.abs(a - b) < 0.25; // the drawing is rounded to a tenth
    for (const mark of [...marks].sort((a, b) => (a.dashed !== null) - (b.dashed !== null))) {
      const share = [(mark.x / width - left) / wide, 1 - (mark.y / height - top) / high];
      if (share.some((s) => !(s > -0.001 && s < 1.001))) continue;
      const own = mark.faint ? [] : bars.filter((bar) => bar.color === mark.color && near(bar.x, mark.x));
      if (mark.dashed === null && own.some((bar) => bar.ends.some((end) => near(end, mark.y)) && !near(...bar.ends))) continue;
      const bar = own.find((one) => one.ends[0] >= mark.y - 0.25 && one.ends[1] <= mark.y + 0.25);
      if (mark.dashed !== null && found.some((one) => one.dashed === null && one.color === mark.color && near(one.x, mark.x) && near(one.y, mark.y))) continue;
      found.push({ ...mark, share, bar: bar?.ends.map((y) => 1 - (y / height - top) / high) });
    }
    return found.sort((a, b) => a.x - b.x || (a.dashed !== null) - (b.dashed !== null));
  }

  // What a colour and a dash mean: as the panel's own legend says, or else another panel's; of a
  // mark, and where the dash is explained in another colour alone, by the colour.
  function named(mark, panel, all) {
    const same = [([color, dashed]) => color === mark.color && dashed === (mark.dashed === true), ([color]) => color === mark.color];
    for (const curves of [panel.curves, all.flatMap((one) => one.curves)])
      for (const fits of same) {
        const found = curves.filter(fits);
        if (found.length) return [...new Set(found.map((one) => readable(one[2])))].join(" / ");
      }
    return "";
  }

  function say(mark, panel, all) {
    const name = named(mark, panel, all), interval = mark.bar ? ` [${told(panel.y, mark.bar[0])}, ${told(panel.y, mark.bar[1])}]` : "";
    const of = (axis, share, label) => `${axis.names ? "" : readable(label)} ${told(axis, share)}`.trim();
    const before = all.slice(0, all.indexOf(panel) + 1).reverse(), up = before.find((one) => one.y.label)?.y.label ?? "up"; // a row has one label
    return `${name ? `${name}: ` : ""}${of(panel.x, mark.share[0], panel.x.label || "across")}, ${of(panel.y, mark.share[1], up)}${interval}${mark.faint && name ? " (one seed)" : ""}`;
  }

  // All points of an image that is unpacked, in shares of it; read once.
  const read = new Map();
  function known(image) {
    if (!image.src.startsWith("data:image/svg+xml,")) return [];
    if (!read.has(image.src)) {
      const svg = new DOMParser().parseFromString(decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1)), "image/svg+xml").documentElement;
      const [, , width, height] = (svg.getAttribute("viewBox") ?? "0 0 1 1").split(/[ ,]+/).map(Number), shapes = drawn(svg);
      const panels = JSON.parse(svg.querySelector("metadata")?.textContent || "[]").filter((panel) => panel.x && panel.y);
      read.set(image.src, panels.flatMap((panel, place) => points(panel, shapes, width, height).map((mark) => ({
        ...{ left: mark.x / width, top: mark.y / height, curve: `${place} ${mark.color} ${mark.faint} ${mark.dashed === true}` },
        faint: mark.faint,
        say: () => say(mark, panel, panels),
      }))));
    }
    return read.get(image.src);
  }

  // Mark a point of a stage (what holds an image) and say it beside.
  function point(stage, one) {
    let tip = stage.querySelector(".tip"), spot = stage.querySelector(".spot");
    if (!tip) {
      tip = Object.assign(document.createElement("output"), { className: "tip" });
      spot = Object.assign(document.createElement("i"), { className: "spot" });
      stage.append(spot, tip);
    }
    tip.hidden = spot.hidden = !one;
    if (!one) return;
    tip.textContent = one.say();
    Object.assign(spot.style, { left: `${100 * one.left}%`, top: `${100 * one.top}%` });
    const side = (share, low, high) => (share < 0.5 ? { [low]: `calc(${100 * share}% + 9px)`, [high]: "auto" } : { [low]: "auto", [high]: `calc(${100 - 100 * share}% + 9px)` });
    Object.assign(tip.style, side(one.left, "left", "right"), side(one.top, "top", "bottom"));
  }

  function follow(event) {
    const stage = event.target.closest?.(".drawn, .stage");
    for (const tip of document.querySelectorAll(".tip:not([hidden])")) if (tip.parentElement !== stage) point(tip.parentElement, null);
    const image = stage?.querySelector("img");
    if (!image) return;
    const box = image.getBoundingClientRect(), away = (one) => Math.hypot(one.left * box.width + box.left - event.clientX, one.top * box.height + box.top - event.clientY) + (one.faint ? 6 : 0); // a mean before its seeds
    const best = known(image).reduce((found, one) => (away(one) < (found ? away(found) : 16) ? one : found), null);
    point(stage, best);
  }

  const view = document.getElementById("enlarged"), stage = view.querySelector(".stage");
  let zoom = 1, at = null;

  // Larger or smaller, so that what lies under a place of the window stays there: the pointer, the
  // point that is told, or the middle.
  function enlarge(factor, x, y) {
    const wide = view.querySelector(".wide"), box = stage.getBoundingClientRect(), frame = wide.getBoundingClientRect();
    const told = stage.querySelector(".spot:not([hidden])")?.getBoundingClientRect();
    const px = x ?? (told ? told.left + told.width / 2 : frame.left + frame.width / 2);
    const py = y ?? (told ? told.top + told.height / 2 : frame.top + frame.height / 2);
    const share = [(px - box.left) / box.width, (py - box.top) / box.height];
    zoom = factor ? Math.min(8, Math.max(1, zoom * factor)) : 1;
    stage.style.setProperty("--zoom", zoom);
    const after = stage.getBoundingClientRect();
    wide.scrollBy(share[0] * after.width + after.left - px, share[1] * after.height + after.top - py);
  }

  // The arrow keys: along a curve, and to another one at the nearest place.
  function step(key) {
    const all = known(stage.querySelector("img")), curves = [...new Set(all.map((one) => one.curve))];
    if (!all.length) return;
    if (!at) at = all.find((one) => !one.faint) ?? all[0];
    else {
      const side = { ArrowLeft: -1, ArrowRight: 1 }[key], up = { ArrowUp: -1, ArrowDown: 1 }[key];
      const wanted = curves[(curves.indexOf(at.curve) + (up ?? 0) + curves.length) % curves.length], own = all.filter((one) => one.curve === wanted);
      at = side ? own[Math.min(own.length - 1, Math.max(0, own.indexOf(at) + side))]
        : own.reduce((best, one) => (Math.abs(one.left - at.left) < Math.abs(best.left - at.left) ? one : best));
    }
    point(stage, at);
    stage.querySelector(".spot").scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  view.addEventListener("keydown", (event) => {
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 }[event.key];
    if (factor !== undefined) enlarge(factor);
    else if (document.activeElement === stage && event.key.startsWith("Arrow")) step(event.key);
    else return;
    event.preventDefault();
  });
  view.addEventListener("click", (event) => event.target.dataset?.zoom && enlarge(+event.target.dataset.zoom));
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // also two fingers drawn apart
    event.preventDefault();
    enlarge(Math.exp(-event.deltaY / 200), event.clientX, event.clientY);
  }, { passive: false });
  view.addEventListener("close", () => {
    at = null;
    enlarge(0);
    point(stage, null);
  });
  document.addEventListener("pointermove", follow);
})();
