// Sliders over measured tables: the numbers are in the page, nothing is computed but where they lie.
(() => {
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 560, HEIGHT = 340, LEFT = 62, DOWN = 46, EDGE = 12;
  const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#5E3C99"];
  const shown = (value) => (typeof value === "number" ? +value.toPrecision(4) : value);

  function make(parent, name, settings, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(settings)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  }

  function scale(values, from, to, log) {
    const bent = log ? Math.log10 : (x) => x, known = values.filter((x) => x !== null && (!log || x > 0)).map(bent);
    let [low, high] = [Math.min(...known), Math.max(...known)];
    if (low === high) [low, high] = [low - 1, high + 1];
    const place = (x) => from + ((bent(x) - low) / (high - low)) * (to - from);
    const ticks = [0, 1, 2, 3, 4].map((i) => low + ((high - low) * i) / 4).map((x) => (log ? 10 ** x : x));
    return { place, ticks, fits: (x) => x !== null && (!log || x > 0) };
  }

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
    const toggles = curves.map((curve, index) => {
      const label = document.createElement("label"), box = document.createElement("input"), dash = document.createElement("i");
      Object.assign(box, { type: "checkbox", checked: true });
      dash.style.background = COLORS[index % 8];
      label.append(box, dash, ` ${data.labels.curves} ${shown(curve)}`);
      keys.append(label);
      return box;
    });

    function draw() {
      const at = stops[slider.value];
      value.textContent = slider.ariaValueText = `${shown(at)}`;
      plot.replaceChildren();
      const chosen = (p) => toggles[curves.indexOf(p[1])].checked;
      const all = points.filter(chosen);
      if (!all.length) return;
      const x = scale(all.map((p) => p[2]), LEFT + EDGE, WIDTH - EDGE, logs.x.checked);
      const y = scale(all.flatMap((p) => [p[3], p[6]]), HEIGHT - DOWN - EDGE, EDGE, logs.y.checked);
      for (const tick of x.ticks) make(plot, "text", { x: x.place(tick), y: HEIGHT - DOWN + 14, "text-anchor": "middle" }, shown(+tick.toPrecision(2)));
      for (const tick of y.ticks) make(plot, "text", { x: LEFT - 6, y: y.place(tick) + 4, "text-anchor": "end" }, shown(+tick.toPrecision(2)));
      make(plot, "path", { d: `M${LEFT} 0V${HEIGHT - DOWN}H${WIDTH}`, class: "frame" });
      make(plot, "text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, data.labels.x);
      make(plot, "text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(13 ${(HEIGHT - DOWN) / 2}) rotate(-90)` }, data.labels.y);
      curves.forEach((curve, index) => {
        const own = all.filter((p) => p[0] === at && p[1] === curve && x.fits(p[2]) && y.fits(p[3])).sort((a, b) => a[2] - b[2]);
        const color = COLORS[index % 8], line = (list, of) => "M" + list.map((p) => `${x.place(p[2]).toFixed(1)} ${y.place(p[of]).toFixed(1)}`).join("L");
        const theory = own.filter((p) => y.fits(p[6]));
        if (theory.length > 1) make(plot, "path", { d: line(theory, 6), class: "theory" });
        if (own.length > 1) make(plot, "path", { d: line(own, 3), fill: "none", stroke: color, "stroke-width": 1.6 });
        for (const p of own) {
          const text = `${data.labels.curves} ${shown(p[1])}, ${data.labels.x} ${shown(p[2])}: ${shown(p[3])} [${shown(p[4])}, ${shown(p[5])}]` + (p[6] === null ? "" : `, theory ${shown(p[6])}`);
          const dot = make(plot, "circle", { cx: x.place(p[2]), cy: y.place(p[3]), r: 3.5, fill: color, tabindex: 0, role: "img", "aria-label": text });
          make(dot, "title", {}, text);
          for (const event of ["pointerenter", "focus"]) dot.addEventListener(event, () => (told.textContent = text));
        }
      });
      told.textContent = "";
    }

    root.addEventListener("input", draw);
    draw();
  }

  document.querySelectorAll(".explore").forEach(start);
})();
