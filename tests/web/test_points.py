"""A hundred thousand points: they are drawn and found in time."""

from __future__ import annotations

from typing import Any

# Time to draw and to find, the medians of 20 frames; and a slow search that is obviously right.
TRY = """
const [done] = arguments;
(async () => {
  const { pointsOn } = await import("./web/points.js");
  const { Grid } = await import("./web/grid.js");
  const n = 100000;
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const x = Float32Array.from({ length: n }, random);
  const y = Float32Array.from({ length: n }, random);
  const grid = new Grid(x, y);
  const canvas = document.createElement("canvas");
  canvas.width = 1200;
  canvas.height = 800;
  document.body.append(canvas);
  const layer = pointsOn(canvas, x, y);
  layer.paint(new Uint8Array(4 * n).fill(200));
  const finds = [];
  let agree = 0;
  for (let turn = 0; turn < 20; turn += 1) {
    const [px, py] = [random(), random()];
    layer.draw({ x: px, y: py, scale: 900 * (1 + turn), width: 1200, height: 800 }, 2);
    const began = performance.now();
    const found = grid.nearest(px, py, 0.02);
    finds.push(performance.now() - began);
    let best = -1, least = Infinity;
    for (let i = 0; i < n; i += 1) {
      const away = (x[i] - px) ** 2 + (y[i] - py) ** 2;
      if (away < least) [best, least] = [i, away];
    }
    agree += found === best;
  }
  const square = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4]];
  const inside = grid.within(square).length;
  const slowly = x.filter((_, i) => x[i] >= 0.2 && x[i] <= 0.4 && y[i] >= 0.2 && y[i] <= 0.4).length;
  canvas.remove();
  done({ find: finds.sort((a, b) => a - b)[10], agree, inside, slowly });
})();
"""


def test_of_many_points_the_nearest_is_found_at_once(page: Any) -> None:
    seen = page.browser.execute_async_script(TRY)
    assert seen["agree"] == 20
    assert abs(seen["inside"] - seen["slowly"]) <= 1
    assert seen["find"] < 5
