// Draws a birth certificate as a picture. Every duckling looks like itself: plumage, crest, eyes,
// sky and orbits come from its id, so the same certificate gives the same picture everywhere.

import { SVG, shape } from '/shared/shape.js';

const WIDTH = 1200;
const HEIGHT = 630;
const ROUND = 'ui-rounded, "SF Pro Rounded", Quicksand, Nunito, system-ui, "Segoe UI", Roboto, sans-serif';
const MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

const PLUMAGE = [
  ['#ffd23f', '#f4b400'], ['#ffe9a8', '#f3c969'], ['#ffb59e', '#f0846a'], ['#9fe3c8', '#5dbf9b'],
  ['#a9d4ff', '#6ea9ea'], ['#d9c2ff', '#a98be8'], ['#f7f4ff', '#cfc8ee'], ['#ffc4dd', '#ee8db6'],
];
const SKIES = [
  ['#0a1033', '#27348f'], ['#0b1230', '#135a73'], ['#130d33', '#5b2a86'],
  ['#0a1a2c', '#1f5f4a'], ['#160c2b', '#8a2f5f'], ['#0d0f2b', '#3a3fae'],
];
const RINGS = { T0: 1, T1: 2, T2: 3 };

/** Numbers from 0 to 1 that follow from a text: FNV-1a, then mulberry32. */
function dice(text) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (roll, list) => list[Math.floor(roll() * list.length)];
const fixed = (value) => value.toFixed(1);

function sky(roll, ids) {
  const [deep, glow] = pick(roll, SKIES);
  const stars = [];
  for (let n = 0; n < 90; n += 1) {
    const x = roll() * WIDTH;
    // Fainter where there is something to read.
    const light = (0.25 + roll() * 0.65) * (x > 540 ? 0.4 : 1);
    stars.push(shape('circle', {
      cx: fixed(x), cy: fixed(roll() * HEIGHT), r: fixed(0.6 + roll() * 1.6),
      fill: roll() < 0.2 ? '#ffe79b' : '#fff', 'fill-opacity': light.toFixed(2),
    }));
  }
  return [
    shape('defs', {},
      shape('radialGradient', { id: ids.sky, cx: '26%', cy: '58%', r: '75%' },
        shape('stop', { offset: 0, 'stop-color': glow }), shape('stop', { offset: 1, 'stop-color': deep })),
      shape('clipPath', { id: ids.glass }, shape('circle', { cx: 305, cy: 315, r: 152 }))),
    shape('rect', { width: WIDTH, height: HEIGHT, fill: `url(#${ids.sky})` }),
    ...stars,
  ];
}

/** One orbit for each tier, each with a moon: what lies behind the duck, and what before it. */
function orbits(roll, tier) {
  const turned = { transform: `rotate(${fixed(-28 + roll() * 16)} 305 330)`, fill: 'none' };
  const [behind, before] = [shape('g', turned), shape('g', turned)];
  for (let n = 0; n < (RINGS[tier] ?? 1); n += 1) {
    const [rx, ry] = [216 + n * 26, 62 + n * 14];
    const angle = roll() * 2 * Math.PI;
    const half = (sweep) => shape('path', {
      d: `M${305 - rx} 330A${rx} ${ry} 0 0 ${sweep} ${305 + rx} 330`,
      stroke: n === 2 ? '#ffd23f' : '#cfdcff', 'stroke-width': n === 2 ? 3 : 2,
      'stroke-opacity': 0.75, 'stroke-dasharray': n === 1 ? '4 9' : 'none',
    });
    behind.append(half(1));
    before.append(half(0));
    (Math.sin(angle) > 0 ? before : behind).append(shape('circle', {
      cx: fixed(305 + rx * Math.cos(angle)), cy: fixed(330 + ry * Math.sin(angle)), r: 8 + n * 2,
      fill: pick(roll, ['#ff8a3c', '#ffd23f', '#8fa0ff', '#7fe0c0']),
    }));
  }
  return { behind, before };
}

const CRESTS = [
  (dark) => shape('path', { d: 'M286 214c-14-22-2-42 18-44-8 14-4 24 6 40z', fill: dark }),
  (dark) => shape('path', { d: 'M272 216c-20-14-18-36-4-44 0 12 8 18 16 22 0-16 10-26 24-26-6 14-4 26 4 42z', fill: dark }),
  (dark) => shape('path', { d: 'M300 210c-2-20 10-38 28-38-6 10-4 20 2 34M282 212c-10-14-8-30 4-36', fill: 'none', stroke: dark, 'stroke-width': 9, 'stroke-linecap': 'round' }),
  (dark) => shape('g', { fill: dark }, shape('circle', { cx: 276, cy: 208, r: 15 }), shape('circle', { cx: 297, cy: 197, r: 18 }), shape('circle', { cx: 320, cy: 203, r: 14 })),
  () => null,
];

const EYES = [
  () => shape('g', {}, shape('circle', { cx: 338, cy: 286, r: 15, fill: '#10163a' }), shape('circle', { cx: 343, cy: 281, r: 5, fill: '#fff' })),
  () => shape('path', { d: 'M322 290c6-14 26-14 32 0', fill: 'none', stroke: '#10163a', 'stroke-width': 7, 'stroke-linecap': 'round' }),
  () => shape('g', {}, shape('circle', { cx: 338, cy: 286, r: 20, fill: '#fff' }), shape('circle', { cx: 343, cy: 287, r: 11, fill: '#10163a' }), shape('circle', { cx: 347, cy: 283, r: 4, fill: '#fff' })),
  () => shape('g', {}, shape('circle', { cx: 338, cy: 288, r: 14, fill: '#10163a' }), shape('path', { d: 'M320 268c10-8 24-8 34-1', fill: 'none', stroke: '#10163a', 'stroke-width': 5, 'stroke-linecap': 'round' })),
];

function duck(roll, ids) {
  const [light, dark] = pick(roll, PLUMAGE);
  const glass = pick(roll, ['#cfdcff', '#d6fff0', '#ffe3f1', '#fff3cf']);
  const beak = pick(roll, ['#ff8a3c', '#ff9d2e', '#f2704f']);
  const cheek = roll() < 0.5 ? shape('circle', { cx: 312, cy: 330, r: 15, fill: '#ff7a7a', 'fill-opacity': 0.45 }) : null;
  return shape('g', {},
    shape('path', { d: 'M146 602c4-112 70-170 159-170s155 58 159 170z', fill: light }),
    shape('path', { d: 'M190 602c2-66 26-104 60-118', fill: 'none', stroke: dark, 'stroke-width': 10, 'stroke-linecap': 'round' }),
    shape('path', { d: 'M420 602c-2-66-26-104-60-118', fill: 'none', stroke: dark, 'stroke-width': 10, 'stroke-linecap': 'round' }),
    shape('circle', { cx: 305, cy: 315, r: 152, fill: glass, 'fill-opacity': 0.14 }),
    shape('g', { 'clip-path': `url(#${ids.glass})` },
      shape('path', { d: 'M236 470c0-60 24-92 62-92s66 32 66 92z', fill: light }),
      pick(roll, CRESTS)(dark),
      shape('circle', { cx: 298, cy: 302, r: 96, fill: light }),
      shape('path', { d: 'M214 330c14 44 60 66 112 60-46 26-108 4-112-60z', fill: dark, 'fill-opacity': 0.55 }),
      cheek,
      shape('path', { d: 'M366 296c30-12 60-6 82 16-24 26-60 34-92 22-14-8-8-30 10-38z', fill: beak }),
      shape('path', { d: 'M360 318c28 8 58 6 86-4', fill: 'none', stroke: '#10163a', 'stroke-opacity': 0.35, 'stroke-width': 4, 'stroke-linecap': 'round' }),
      pick(roll, EYES)()),
    shape('circle', { cx: 305, cy: 315, r: 152, fill: 'none', stroke: glass, 'stroke-width': 7 }),
    shape('path', { d: 'M190 268c14-48 46-78 88-88M184 300c0-4 1-8 2-12', fill: 'none', stroke: '#fff', 'stroke-opacity': 0.9, 'stroke-width': 11, 'stroke-linecap': 'round' }),
    shape('rect', { x: 205, y: 440, width: 200, height: 36, rx: 18, fill: '#e8ecff' }),
    shape('rect', { x: 205, y: 458, width: 200, height: 18, rx: 9, fill: '#b9c2ea' }),
    shape('circle', { cx: 305, cy: 458, r: 10, fill: beak }));
}

/** The width of a text in this size, as this browser draws it. */
function wide(text, size) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = `700 ${size}px ${ROUND}`;
  return pen.measureText(text).width;
}

/** A name in one line, or in two where it would become small. */
function lines(name, room) {
  for (const size of [76, 66, 58]) {
    if (wide(name, size) <= room) return { size, rows: [name] };
  }
  // After a space or a hyphen; a single long word anywhere.
  const words = name.match(/[^\s-]+-?\s*|-+\s*/gu) ?? [name];
  const parts = words.length > 1 ? words : [...name];
  let best = null;
  for (let cut = 1; cut < parts.length; cut += 1) {
    const rows = [parts.slice(0, cut).join('').trim(), parts.slice(cut).join('').trim()];
    const span = Math.max(...rows.map((row) => wide(row, 54)));
    if (!best || span < best.span) best = { rows, span };
  }
  return { size: Math.min(54, Math.floor((54 * room) / best.span)), rows: best.rows };
}

const text = (x, y, size, fill, words, more = {}) => shape('text', {
  x, y, fill, 'font-size': size, 'font-family': ROUND, ...more,
}, words);

/** Bars like a postmark: another form of the two ids. */
function bars(roll) {
  const group = shape('g', { fill: '#cfdcff', 'fill-opacity': 0.6 });
  for (let x = 560; x < 880; x += 7) {
    const height = 8 + Math.floor(roll() * 4) * 8;
    group.append(shape('rect', { x, y: 552 - height, width: 3.5, height, rx: 1.75 }));
  }
  return group;
}

function seal(tier) {
  const ring = shape('g', { transform: 'translate(1040 492)' });
  const points = [];
  for (let n = 0; n < 48; n += 1) {
    const radius = n % 2 ? 74 : 82;
    const angle = (n / 48) * 2 * Math.PI;
    points.push(`${fixed(radius * Math.cos(angle))},${fixed(radius * Math.sin(angle))}`);
  }
  const middle = { 'text-anchor': 'middle' };
  ring.append(
    shape('polygon', { points: points.join(' '), fill: '#ffd23f' }),
    shape('circle', { r: 62, fill: 'none', stroke: '#10163a', 'stroke-width': 2.5 }),
    text(0, -22, 17, '#10163a', 'trust tier', { ...middle, 'font-weight': 600 }),
    text(0, 27, 50, '#10163a', tier, { ...middle, 'font-weight': 800 }),
    text(0, 47, 14, '#10163a', 'signed', { ...middle, 'font-weight': 600 }),
  );
  return ring;
}

function day(moment) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'long' }).format(moment);
}

/** What the picture says, for those who don't see it. */
export function describe(record, galaxy) {
  return `Birth certificate of ${record.name}, trust tier ${record.tier}, issued on ${day(record.issued)} in the galaxy ${galaxy}. `
    + `Duckling ${record.duckling}, certificate ${record.id}. A duck of its own look in a space helmet, before stars.`;
}

/** The picture. `where` says in a few words where it can be checked. */
export function draw(record, { galaxy, where }) {
  const roll = dice(record.duckling);
  const ids = { sky: `sky-${record.id}`, glass: `glass-${record.id}`, title: `title-${record.id}` };
  const picture = shape('svg', {
    xmlns: SVG, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: 'img', 'aria-labelledby': ids.title,
  });
  const name = lines(record.name, 570);
  const top = name.rows.length === 1 ? 216 : 184;
  const rings = orbits(roll, record.tier);
  picture.append(
    shape('title', { id: ids.title }, describe(record, galaxy)),
    ...sky(roll, ids),
    shape('path', { d: `M0 ${HEIGHT}V590C300 540 900 540 ${WIDTH} 590V${HEIGHT}z`, fill: '#060a1d', 'fill-opacity': 0.4 }),
    rings.behind,
    duck(roll, ids),
    rings.before,
    shape('rect', { x: 20, y: 20, width: WIDTH - 40, height: HEIGHT - 40, rx: 26, fill: 'none', stroke: '#ffd23f', 'stroke-width': 3 }),
    shape('rect', { x: 30, y: 30, width: WIDTH - 60, height: HEIGHT - 60, rx: 18, fill: 'none', stroke: '#ffd23f', 'stroke-opacity': 0.4, 'stroke-width': 1.5 }),
    text(560, 112, 25, '#ffd23f', 'BIRTH CERTIFICATE', { 'font-weight': 700, 'letter-spacing': 6 }),
    ...name.rows.map((row, at) => text(560, top + at * (name.size + 6), name.size, '#ffffff', row, { 'font-weight': 700 })),
    text(560, 300, 26, '#cfdcff', `hatched in the galaxy ${galaxy}`),
    text(560, 334, 26, '#cfdcff', day(record.issued)),
    text(560, 388, 17, '#b9c2ea', 'duckling'),
    text(560, 412, 20, '#ffffff', record.duckling, { 'font-family': MONO }),
    text(560, 448, 17, '#b9c2ea', 'certificate'),
    text(560, 472, 20, '#ffffff', record.id, { 'font-family': MONO }),
    bars(dice(record.id)),
    text(560, 582, Math.min(16, (16 * 390) / wide(where, 16)), '#b9c2ea', where),
    seal(record.tier),
  );
  return picture;
}

/** The picture as a PNG. */
export async function png(picture, scale = 2) {
  const source = new XMLSerializer().serializeToString(picture);
  const image = new Image();
  // A data address, since the pages' policy lets pictures come from nowhere else.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH * scale;
  canvas.height = HEIGHT * scale;
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture came out'))), 'image/png');
  });
}
