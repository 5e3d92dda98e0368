// The sheet: strokes of a pointer, drawn on the screen and as a picture.

/** The sheet's side; points and widths are in this unit, as are the pixels sent. */
export const SIDE = 280;

export class Drawing {
  #canvas;
  #context;
  /** Each stroke: its width, and its points from pen-down to pen-up. */
  #strokes = [];
  #pointer = null;
  #frame = 0;

  /**
   * `width` gives the brush's width. `started` is called before a stroke,
   * `changed` whenever ink is added, with whether the pen is up.
   */
  constructor(canvas, { width, started, changed }) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => {
      if (this.#pointer !== null || event.button !== 0) return;
      event.preventDefault();
      started();
      this.#pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      this.#strokes.push({ width: width(), points: [this.#point(event)] });
      this.#redraw();
      changed(false);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#pointer) return;
      // A pen reports more often than the screen is drawn.
      const events = event.getCoalescedEvents?.() ?? [];
      const points = (events.length ? events : [event]).map((each) => this.#point(each));
      this.#strokes.at(-1).points.push(...points);
      this.#redraw();
      changed(false);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => {
        if (event.pointerId !== this.#pointer) return;
        this.#pointer = null;
        changed(true);
      });
    }
    new ResizeObserver(() => this.#redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  /** Takes back the last stroke. */
  undo() {
    this.#pointer = null;
    this.#strokes.pop();
    this.#redraw();
  }

  clear() {
    this.#pointer = null;
    this.#strokes = [];
    this.#redraw();
  }

  /** The drawing as a PNG of SIDE × SIDE pixels, black on white. */
  toPng() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, SIDE, SIDE);
    this.#draw(context, "black");
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  #point({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    return [((clientX - box.left) / box.width) * SIDE, ((clientY - box.top) / box.height) * SIDE];
  }

  #redraw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const canvas = this.#canvas;
      const pixels = Math.round(canvas.clientWidth * devicePixelRatio);
      if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
      const context = this.#context;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, pixels, pixels);
      context.scale(pixels / SIDE, pixels / SIDE);
      this.#draw(context, getComputedStyle(canvas).getPropertyValue("--ink"));
    });
  }

  #draw(context, colour) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineCap = context.lineJoin = "round";
    for (const { width, points } of this.#strokes) {
      const [first, ...others] = points;
      context.beginPath();
      if (others.every(([x, y]) => x === first[0] && y === first[1])) {
        context.arc(...first, width / 2, 0, 2 * Math.PI);
        context.fill();
        continue;
      }
      // From middle to middle, bent towards the point between: no corners.
      context.lineWidth = width;
      context.moveTo(...first);
      for (let i = 1; i + 1 < points.length; i++) {
        const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
        context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      context.lineTo(...points.at(-1));
      context.stroke();
    }
  }
}
