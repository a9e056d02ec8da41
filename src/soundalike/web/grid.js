/* Which points lie where: a grid of square cells over the plane 0..1, so that finding one looks at a few cells
   instead of at all points. A cell holds four points on the average. */

const PER_CELL = 4;

export class Grid {
  /** @param {Float32Array} x @param {Float32Array} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.side = Math.max(1, Math.floor(Math.sqrt(x.length / PER_CELL)));
    const cells = Int32Array.from(x, (_, i) => this.#cell(x[i], y[i]));
    // A counting sort: points of cell c are order[starts[c]] to order[starts[c + 1] - 1].
    this.starts = new Int32Array(this.side * this.side + 1);
    for (const cell of cells) this.starts[cell + 1] += 1;
    for (let c = 0; c < this.side * this.side; c += 1) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    this.order = new Int32Array(x.length);
    cells.forEach((cell, i) => {
      this.order[next[cell]] = i;
      next[cell] += 1;
    });
  }

  #clamped(value) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(value * this.side)));
  }

  #cell(x, y) {
    return this.#clamped(y) * this.side + this.#clamped(x);
  }

  /** Numbers of the points within a rectangle, at most `most` of them. */
  inside(left, bottom, right, top, most = Infinity) {
    const found = [];
    for (let row = this.#clamped(bottom); row <= this.#clamped(top); row += 1) {
      for (let column = this.#clamped(left); column <= this.#clamped(right); column += 1) {
        const cell = row * this.side + column;
        for (let at = this.starts[cell]; at < this.starts[cell + 1]; at += 1) {
          const i = this.order[at];
          if (this.x[i] >= left && this.x[i] <= right && this.y[i] >= bottom && this.y[i] <= top) {
            found.push(i);
            if (found.length >= most) return found;
          }
        }
      }
    }
    return found;
  }

  /** The number of the point nearest to a place, within a radius; -1 if there is none. */
  nearest(x, y, radius) {
    let best = -1;
    let least = radius * radius;
    for (const i of this.inside(x - radius, y - radius, x + radius, y + radius)) {
      const away = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (away <= least) {
        least = away;
        best = i;
      }
    }
    return best;
  }

  /** Numbers of the points within a polygon of [x, y]; a point is inside if a ray from it crosses an odd number of sides. */
  within(polygon) {
    const xs = polygon.map((corner) => corner[0]);
    const ys = polygon.map((corner) => corner[1]);
    const box = this.inside(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
    return box.filter((i) => {
      let odd = false;
      for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a, a += 1) {
        const above = ys[a] > this.y[i] !== ys[b] > this.y[i];
        if (above && this.x[i] < ((xs[b] - xs[a]) * (this.y[i] - ys[a])) / (ys[b] - ys[a]) + xs[a]) odd = !odd;
      }
      return odd;
    });
  }
}
