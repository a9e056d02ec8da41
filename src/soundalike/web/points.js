/* Drawing all points of the map: by WebGL, where a hundred thousand cost a millisecond, or else as small
   squares on a plain canvas. Both take the same view: the place in the middle, and pixels per unit. */

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
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true });
  return gl ? byWebGl(canvas, gl, x, y) : bySquares(canvas, x, y);
}

function byWebGl(canvas, gl, x, y) {
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

function bySquares(canvas, x, y) {
  const context = canvas.getContext("2d");
  let colors = new Uint8Array(4 * x.length);
  return {
    paint: (given) => (colors = given),
    draw(view, diameter) {
      const ratio = canvas.width / view.width;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, view.width, view.height);
      for (let i = 0; i < x.length; i += 1) {
        const [red, green, blue, opacity] = colors.subarray(4 * i, 4 * i + 4);
        context.fillStyle = `rgba(${red}, ${green}, ${blue}, ${opacity / 255})`;
        const left = (x[i] - view.x) * view.scale + view.width / 2 - diameter / 2;
        const top = view.height / 2 - (y[i] - view.y) * view.scale - diameter / 2;
        context.fillRect(left, top, diameter, diameter);
      }
    },
  };
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
