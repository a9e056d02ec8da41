/* Drawing all points of the map: by WebGL where there is a graphics card, or else pixel by pixel, which is faster
   than a graphics card that the processor imitates. Both take the same view: the place in the middle, and pixels
   per unit. */

/** @typedef {{x: number, y: number, scale: number, width: number, height: number}} View in CSS pixels */

const CORNERS = `
attribute vec2 place;
attribute vec4 paint;
uniform vec2 middle, reach;
uniform mediump float size;
varying vec4 color;
void main() {
  gl_Position = vec4((place - middle) * reach, 0.0, 1.0);
  gl_PointSize = size;
  color = paint;
}`;
const FILL = `
precision mediump float;
varying vec4 color;
uniform mediump float size;
void main() {
  float away = length(gl_PointCoord - 0.5) * size;
  float inside = clamp(size / 2.0 - away, 0.0, 1.0) * color.a;
  gl_FragColor = vec4(color.rgb * inside, inside);
}`;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} x
 * @param {Float32Array} y
 * @returns {{paint: (colors: Uint8Array) => void, draw: (view: View, size: number) => void}} colors are red,
 *     green, blue and opacity of each point; size is a diameter in CSS pixels
 */
export function pointsOn(canvas, x, y) {
  return hasCard() ? byWebGl(canvas, canvas.getContext("webgl", { antialias: false }), x, y) : byPixels(canvas, x, y);
}

/** Whether WebGL is there, and is no program that imitates it. */
function hasCard() {
  const gl = document.createElement("canvas").getContext("webgl");
  const about = gl?.getExtension("WEBGL_debug_renderer_info");
  return Boolean(about) && !/swiftshader|llvmpipe|software/i.test(gl.getParameter(about.UNMASKED_RENDERER_WEBGL));
}

/** As `pointsOn`, on a graphics card. @param {WebGLRenderingContext} gl of the canvas */
export function byWebGl(canvas, gl, x, y) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, FILL]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  const places = new Float32Array(2 * x.length);
  for (let i = 0; i < x.length; i += 1) places.set([x[i], y[i]], 2 * i);
  const bind = (name, data, width, kind) => {
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, kind, kind === gl.UNSIGNED_BYTE, 0, 0);
    return buffer;
  };
  bind("place", places, 2, gl.FLOAT);
  const paints = bind("paint", new Uint8Array(4 * x.length), 4, gl.UNSIGNED_BYTE);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [middle, reach, size] = ["middle", "reach", "size"].map(uniform);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return {
    paint(colors) {
      gl.bindBuffer(gl.ARRAY_BUFFER, paints);
      gl.bufferData(gl.ARRAY_BUFFER, colors, gl.DYNAMIC_DRAW);
    },
    draw(view, diameter) {
      const ratio = canvas.width / view.width;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(middle, view.x, view.y);
      gl.uniform2f(reach, (2 * view.scale) / view.width, (2 * view.scale) / view.height);
      gl.uniform1f(size, diameter * ratio);
      gl.drawArrays(gl.POINTS, 0, x.length);
    },
  };
}

/** As `pointsOn`, without one. */
export function byPixels(canvas, x, y) {
  const context = canvas.getContext("2d");
  let colors = new Uint8Array(4 * x.length);
  return {
    paint: (given) => (colors = given),
    draw(view, diameter) {
      const { width, height } = canvas;
      const ratio = width / view.width;
      const image = context.createImageData(width, height);
      const pixels = new Uint32Array(image.data.buffer);
      const disc = discOf(diameter * ratio);
      const half = Math.ceil((diameter * ratio) / 2) + 1;
      for (let i = 0; i < x.length; i += 1) {
        const left = Math.round(((x[i] - view.x) * view.scale + view.width / 2) * ratio);
        const top = Math.round((view.height / 2 - (y[i] - view.y) * view.scale) * ratio);
        if (left < half || top < half || left >= width - half || top >= height - half) continue;
        const color = colors[4 * i] | (colors[4 * i + 1] << 8) | (colors[4 * i + 2] << 16);
        const middle = top * width + left;
        for (const [dx, dy, share] of disc) {
          const at = middle + dy * width + dx;
          const opacity = Math.round(share * colors[4 * i + 3]);
          // Of points over each other the more opaque is seen.
          if (opacity >= pixels[at] >>> 24) pixels[at] = color | (opacity << 24);
        }
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/** The pixels of a disc around its middle one, and how far each is covered. */
function discOf(diameter) {
  const reach = Math.ceil(diameter / 2);
  const pixels = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const share = Math.max(0, Math.min(1, diameter / 2 + 0.5 - Math.hypot(dx, dy)));
      if (share) pixels.push([dx, dy, share]);
    }
  }
  return pixels;
}

/** One color per group, far apart from those before it, as light as the page is dark. @returns {number[][]} red, green, blue */
export function groupColors(count, dark) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return Array.from({ length: count }, (_, group) => {
    // The golden angle: no two of the first dozen are alike.
    context.fillStyle = `oklch(${dark ? 0.74 : 0.58} 0.12 ${(40 + group * 137.508) % 360})`;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
}
