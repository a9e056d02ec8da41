"""Finding points by their place, beside a slow search that is obviously right."""

from __future__ import annotations

from typing import Any

TRY = """
const done = arguments[0];
(async () => {
  const { Grid } = await import("./web/grid.js");
  const n = 20000;
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const x = Float32Array.from({ length: n }, random);
  const y = Float32Array.from({ length: n }, random);
  const grid = new Grid(x, y);
  const nearest = [];
  for (let turn = 0; turn < 50; turn += 1) {
    const [px, py, radius] = [random(), random(), turn % 2 ? 0.02 : 0.001];
    let best = -1, least = radius ** 2;
    for (let i = 0; i < n; i += 1) {
      const away = (x[i] - px) ** 2 + (y[i] - py) ** 2;
      if (away <= least) [best, least] = [i, away];
    }
    nearest.push([grid.nearest(px, py, radius), best]);
  }
  const all = [...x.keys()];
  const sorted = (numbers) => numbers.sort((a, b) => a - b).join();
  const square = sorted(grid.inside(0.2, 0.3, 0.4, 0.35));
  const squareSlowly = sorted(all.filter((i) => x[i] >= 0.2 && x[i] <= 0.4 && y[i] >= 0.3 && y[i] <= 0.35));
  // A triangle below the diagonal.
  const triangle = sorted(grid.within([[0, 0], [1, 0], [1, 1]]));
  const triangleSlowly = sorted(all.filter((i) => y[i] < x[i]));
  const empty = new Grid(new Float32Array(0), new Float32Array(0)).nearest(0.5, 0.5, 1);
  done({ nearest, square: square === squareSlowly, triangle: triangle === triangleSlowly, empty });
})();
"""


def test_points_are_found_as_a_slow_search_finds_them(page: Any) -> None:
    found = page.browser.execute_async_script(TRY)
    assert all(fast == slow for fast, slow in found["nearest"])
    assert any(slow >= 0 for _, slow in found["nearest"])
    assert found["square"]
    assert found["triangle"]
    assert found["empty"] == -1
