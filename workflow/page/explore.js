// Sliders over measured tables: the numbers are in the page, nothing is computed but where they lie.
(() => {
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 560, HEIGHT = 340, LEFT = 62, DOWN = 46, EDGE = 12;
  const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#5E3C99"];
  // Marks of the curves about their places, so that they differ by more than colour.
  const SHAPES = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "M-3.6 -3.6H3.6V3.6H-3.6Z", "M0 -4.8L4.6 3.6H-4.6Z", "M0 -5L5 0L0 5L-5 0Z", "M0 4.8L4.6 -3.6H-4.6Z",
    "M-1.4 -4.6H1.4V-1.4H4.6V1.4H1.4V4.6H-1.4V1.4H-4.6V-1.4H-1.4Z", "M-4.6 -2.4H4.6V2.4H-4.6Z", "M-2.4 -4.6H2.4V4.6H-2.4Z"];
  const APART = 3; // pixels between curves, which else cover each other
  const shown = (value) => (typeof value === "number" ? +value.toPrecision(4) : value);

  function make(parent, name, settings, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(settings)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  }

  // Round numbers from one to another, about four of them.
  function steps(low, high) {
    const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough), first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
  }

  // The same of logarithms: powers of ten, or 1, 2 and 5 of each; where these are too few, as above.
  function powers(low, high) {
    const of = (multiples, every) => Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i)
      .filter((power) => power % every === 0).flatMap((power) => multiples.map((one) => one * 10 ** power))
      .filter((x) => Math.log10(x) > low - 1e-9 && Math.log10(x) < high + 1e-9);
    const found = high - low < 3 ? of([1, 2, 5], 1) : of([1], Math.ceil((high - low) / 6));
    return found.length > 2 ? found : steps(10 ** low, 10 ** high);
  }

  // Places of numbers along an axis, of which a share [start, end] is seen.
  function scale(values, from, to, log, [start, end]) {
    const bent = log ? Math.log10 : (x) => x, known = values.filter((x) => x !== null && (!log || x > 0)).map(bent);
    let [low, high] = [Math.min(...known), Math.max(...known)];
    if (low === high) [low, high] = [low - 1, high + 1];
    [low, high] = [low + start * (high - low), low + end * (high - low)];
    const place = (x) => from + ((bent(x) - low) / (high - low)) * (to - from);
    const ticks = log ? powers(low, high) : steps(low, high);
    return { place, ticks, fits: (x) => x !== null && (!log || x > 0) };
  }

  // A part of an axis, closer or wider by a factor about a place (both as shares of what is seen),
  // or moved by a share; never beyond the whole.
  function part([start, end], factor, about, moved = 0) {
    const wide = Math.min(1, (end - start) * factor), from = start + (end - start) * about - wide * about - wide * moved;
    const low = Math.min(1 - wide, Math.max(0, from));
    return [low, low + wide];
  }

  // An entry of the legend: what is drawn, then what it is.
  function key(line, mark, color, text, box) {
    const label = document.createElement(box ? "label" : "span"), picture = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: "-14 -7 28 14", width: 28, height: 14, "aria-hidden": true })) picture.setAttribute(name, value);
    if (line) make(picture, "path", { d: "M-14 0H14", class: line, stroke: color });
    if (mark) make(picture, "path", { d: mark, fill: color });
    label.append(...(box ? [box] : []), picture, ` ${text}`);
    return label;
  }

  let made = 0;
  function start(root) {
    const data = JSON.parse(root.querySelector("script").textContent), points = data.points;
    const stops = [...new Set(points.map((p) => p[0]))].sort((a, b) => a - b);
    const curves = [...new Set(points.map((p) => p[1]))];
    const slider = root.querySelector("input[type=range]"), value = root.querySelector("output.at");
    const plot = root.querySelector(".plot"), told = root.querySelector("output.told"), keys = root.querySelector(".keys");
    slider.max = stops.length - 1;
    const logs = {};
    for (const axis of "xy") {
      logs[axis] = root.querySelector(`input[name=log-${axis}]`);
      logs[axis].checked = data.log.includes(axis);
    }
    let seen = { x: [0, 1], y: [0, 1] }, last = null; // what is seen of both axes, the point that was told last
    const clip = `seen-${(made += 1)}`;
    const toggles = curves.map((curve, index) => {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
      keys.append(key("curve", SHAPES[index % 8], COLORS[index % 8], `${data.labels.curves} ${shown(curve)}`, curves.length > 1 && box));
      return box;
    });
    if (points.some((p) => p[6] !== null)) keys.append(key("theory", "", "", `dashed: ${data.labels.theory}`));
    if (points.some((p) => p[4] < p[5])) keys.append(key("", "M-.7 -7H.7V7H-.7Z", "var(--soft)", "bar: 99 % interval of the mean over seeds"));
    const aside = (index) => APART * (index - (curves.length - 1) / 2);

    const inside = (place, k) => (k ? place >= 0 && place <= HEIGHT - DOWN : place >= LEFT && place <= WIDTH);

    // Where something lies in the plot, as shares of what is seen of both axes.
    function share(left, top) {
      return { x: (left - LEFT - EDGE) / (WIDTH - LEFT - 2 * EDGE), y: (HEIGHT - DOWN - EDGE - top) / (HEIGHT - DOWN - 2 * EDGE) };
    }

    function pointed(event) {
      const box = plot.getBoundingClientRect();
      return share(((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT);
    }

    function zoom(factor, about) {
      seen = factor ? { x: part(seen.x, factor, about.x), y: part(seen.y, factor, about.y) } : { x: [0, 1], y: [0, 1] };
      draw();
    }

    // Where the point lies that was told last; else that nearest to the middle.
    function middle() {
      const away = (dot) => Math.hypot(dot.dataset.x - WIDTH / 2, dot.dataset.y - HEIGHT / 2);
      const dots = [...plot.querySelectorAll(".dot")].sort((a, b) => away(a) - away(b));
      const dot = dots.find((one) => one.getAttribute("aria-label") === told.textContent) ?? dots[0];
      return dot ? share(+dot.dataset.x, +dot.dataset.y) : { x: 0.5, y: 0.5 };
    }

    function drag(event) {
      const from = pointed(event), before = seen;
      if (seen.x[1] - seen.x[0] === 1 || event.button) return;
      plot.setPointerCapture(event.pointerId);
      plot.onpointermove = (moved) => {
        const to = pointed(moved);
        seen = { x: part(before.x, 1, 0, to.x - from.x), y: part(before.y, 1, 0, to.y - from.y) };
        draw();
      };
      plot.onpointerup = plot.onpointercancel = () => (plot.onpointermove = null);
    }

    function draw() {
      const held = plot.contains(document.activeElement);
      const at = stops[slider.value];
      value.textContent = slider.ariaValueText = `${shown(at)}`;
      plot.replaceChildren();
      const chosen = (p) => toggles[curves.indexOf(p[1])].checked;
      const all = points.filter(chosen);
      if (!all.length) return;
      const x = scale(all.map((p) => p[2]), LEFT + EDGE, WIDTH - EDGE, logs.x.checked, seen.x);
      const y = scale(all.flatMap((p) => [p[3], p[6]]), HEIGHT - DOWN - EDGE, EDGE, logs.y.checked, seen.y);
      for (const tick of x.ticks) make(plot, "text", { x: x.place(tick), y: HEIGHT - DOWN + 14, "text-anchor": "middle" }, shown(tick));
      for (const tick of y.ticks) make(plot, "text", { x: LEFT - 6, y: y.place(tick) + 4, "text-anchor": "end" }, shown(tick));
      make(make(plot, "clipPath", { id: clip }), "rect", { x: LEFT, y: 0, width: WIDTH - LEFT, height: HEIGHT - DOWN });
      const area = make(plot, "g", { "clip-path": `url(#${clip})` });
      make(plot, "path", { d: `M${LEFT} 0V${HEIGHT - DOWN}H${WIDTH}`, class: "frame" });
      make(plot, "text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, data.labels.x);
      make(plot, "text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(13 ${(HEIGHT - DOWN) / 2}) rotate(-90)` }, data.labels.y);
      const here = curves.map((curve) => all.filter((p) => p[0] === at && p[1] === curve && x.fits(p[2]) && y.fits(p[3])).sort((a, b) => a[2] - b[2]));
      const line = (list, of) => "M" + list.map((p) => `${x.place(p[2]).toFixed(1)} ${y.place(p[of]).toFixed(1)}`).join("L");
      // Wide lines below narrow ones, theory on top: where they lie on each other all are seen.
      here.forEach((own, index) => {
        const below = curves.length - 1 - index, look = { "stroke-width": 3 + Math.min(3 * below, 12 * (below / curves.length)), "stroke-opacity": 1 / (1 + below) ** 0.8 };
        if (own.length > 1) make(area, "path", { d: line(own, 3), stroke: COLORS[index % 8], class: "curve", ...look });
      });
      for (const own of here) {
        const theory = own.filter((p) => y.fits(p[6]));
        if (theory.length > 1) make(area, "path", { d: line(theory, 6), class: "theory" });
      }
      here.forEach((own, index) => {
        const color = COLORS[index % 8];
        for (const p of own.filter((p) => p[4] < p[5])) {
          const [low, high] = [p[4], p[5]].map((end) => (y.fits(end) ? y.place(end) : HEIGHT));
          make(area, "path", { d: `M${x.place(p[2]) + aside(index)} ${low}V${high}`, stroke: color, class: "interval" });
        }
        for (const p of own) {
          if (![p[2], p[3]].every((value, k) => inside([x, y][k].place(value), k))) continue;
          const text = `${data.labels.curves} ${shown(p[1])}, ${data.labels.x} ${shown(p[2])}: ${shown(p[3])} [${shown(p[4])}, ${shown(p[5])}]` + (p[6] === null ? "" : `, theory ${shown(p[6])}`);
          const place = [x.place(p[2]), y.place(p[3])];
          const dot = make(plot, "path", { d: SHAPES[index % 8], transform: `translate(${place[0] + aside(index)} ${place[1]})`, "data-x": place[0], "data-y": place[1], fill: color, class: "dot", tabindex: 0, role: "img", "aria-label": text });
          make(dot, "title", {}, text);
          for (const event of ["pointerenter", "focus"]) dot.addEventListener(event, () => {
            told.textContent = text;
            last = p;
          });
          if (last === p && held) dot.focus();
        }
      });
      if (!plot.contains(document.activeElement)) told.textContent = "";
    }

    plot.addEventListener("pointerdown", drag);
    plot.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // also two fingers drawn apart
      event.preventDefault();
      zoom(Math.exp(event.deltaY / 200), pointed(event));
    }, { passive: false });
    root.addEventListener("click", (event) => {
      const { zoom: factor } = event.target.dataset ?? {};
      if (factor) zoom(+factor, middle());
    });
    plot.addEventListener("keydown", (event) => {
      const factor = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5, 0: 0 }[event.key];
      if (factor === undefined) return;
      event.preventDefault();
      zoom(factor, middle());
    });
    root.addEventListener("input", (event) => {
      if (event.target !== slider) seen = { x: [0, 1], y: [0, 1] }; // the axes themselves change
      last = null;
      draw();
    });
    draw();
  }

  document.querySelectorAll(".explore").forEach(start);
})();
