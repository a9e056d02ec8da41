"""Drawing the map: both ways draw the same, and many points are drawn in time."""

from __future__ import annotations

from typing import Any

# The same points drawn with and without a graphics card: the colors of pixels here and there.
BOTH = """
const done = arguments[0];
(async () => {
  const { byPixels, byWebGl } = await import("./web/points.js");
  const [x, y] = [Float32Array.of(0.2, 0.5, 0.8), Float32Array.of(0.3, 0.5, 0.9)];
  const colors = Uint8Array.of(200, 0, 0, 255, 0, 200, 0, 255, 0, 0, 200, 255);
  const view = { x: 0.5, y: 0.5, scale: 100, width: 100, height: 100 };
  const seen = [];
  for (const kind of ["2d", "webgl"]) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 100;
    const gl = kind === "webgl" && canvas.getContext("webgl", { preserveDrawingBuffer: true });
    const layer = gl ? byWebGl(canvas, gl, x, y) : byPixels(canvas, x, y);
    layer.paint(colors);
    layer.draw(view, 9);
    const plain = document.createElement("canvas");
    plain.width = plain.height = 100;
    const context = plain.getContext("2d");
    context.drawImage(canvas, 0, 0);
    const at = (px, py) => [...context.getImageData(px, py, 1, 1).data];
    seen.push([at(20, 70), at(50, 50), at(80, 10), at(35, 60), at(5, 5)]);
  }
  done(seen);
})();
"""

# 100,000 points on a processor: the median of some frames, ms.
MANY = """
const done = arguments[0];
(async () => {
  const { byPixels } = await import("./web/points.js");
  const [x, y] = [0, 1].map(() => Float32Array.from({ length: 100000 }, Math.random));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 800];
  const layer = byPixels(canvas, x, y);
  layer.paint(new Uint8Array(400000).fill(200));
  const times = [];
  for (let turn = 0; turn < 11; turn += 1) {
    const began = performance.now();
    layer.draw({ x: 0.5, y: 0.5, scale: 700, width: 1280, height: 800 }, 2.2);
    times.push(performance.now() - began);
  }
  done(times.sort((a, b) => a - b)[5]);
})();
"""


def test_both_ways_draw_the_same(page: Any) -> None:
    pixels, card = page.browser.execute_async_script(BOTH)
    assert pixels == card
    assert pixels[:3] == [[200, 0, 0, 255], [0, 200, 0, 255], [0, 0, 200, 255]]
    assert pixels[3:] == [[0, 0, 0, 0]] * 2


def test_many_points_are_drawn_in_time(page: Any) -> None:
    """Far above what it takes (bench/page.py), below what one would call slow."""
    assert page.browser.execute_async_script(MANY) < 400
