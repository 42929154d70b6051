import uPlot from 'uplot';
import type { Palette } from './palette';
import type { ChartMark } from './series';

/** Where the words of a mark stand: beside its line, in one of a few rows. */
export interface Place {
  row: number;
  side: 'left' | 'right';
}

const rows = 4;

/** Finds room for the words of marks so that none covers another. `marks` are
 * from left to right; null: there is no room, the line stands alone. */
export function placeMarks(
  marks: readonly { x: number; width: number }[],
  from: number,
  until: number,
  gap: number,
): (Place | null)[] {
  const taken = Array.from({ length: rows }, () => from);
  return marks.map(({ x, width }) => {
    const side = x + gap + width > until ? 'left' : 'right';
    const begin = side === 'right' ? x + gap : x - gap - width;
    const row = taken.findIndex((end) => begin >= end);
    if (row < 0) return null;
    taken[row] = begin + width + gap;
    return { row, side };
  });
}

/** How many marks the words of each speak for: what happens again while the
 * words still stand there is counted by them; 0: it is told by the one before. */
export function countAlike(
  marks: readonly { x: number; width: number; label: string }[],
  gap: number,
): number[] {
  const counts = marks.map(() => 0);
  let teller = 0;
  marks.forEach(({ x, label }, i) => {
    const before = marks[teller];
    if (before?.label !== label || x > before.x + before.width + 4 * gap) teller = i;
    counts[teller] = (counts[teller] ?? 0) + 1;
  });
  return counts;
}

/** Draws a line at the moment of each mark, with its words where there is room. */
export function drawMarks(u: uPlot, marks: readonly ChartMark[], palette: Palette, font: string) {
  const { ctx, bbox } = u;
  const scale = uPlot.pxRatio;
  const [from, until] = [bbox.left, bbox.left + bbox.width];
  ctx.save();
  ctx.font = font.replace(/^\d+px/, (size) => `${parseInt(size) * scale}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.lineJoin = 'round';
  const inside = marks
    .map((mark) => ({
      ...mark,
      x: Math.round(u.valToPos(Date.parse(mark.at), 'x', true)),
      width: ctx.measureText(mark.label).width,
    }))
    .filter(({ x }) => x >= from && x <= until)
    .sort((a, b) => a.x - b.x);
  const counts = countAlike(inside, 5 * scale);
  const told = inside.flatMap((mark, i) => {
    const times = counts[i] ?? 0;
    if (times === 0) return [];
    const words = times === 1 ? mark.label : `${mark.label} ×${times}`;
    return [{ words, x: mark.x, width: ctx.measureText(words).width }];
  });
  const places = placeMarks(told, from, until, 5 * scale);
  for (const { x, tone } of inside) {
    ctx.globalAlpha = 0.75;
    ctx.strokeStyle = palette.color(tone && tone !== 'quiet' ? `var(--${tone})` : 'var(--ink)');
    ctx.lineWidth = scale;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x + 0.5, bbox.top);
    ctx.lineTo(x + 0.5, bbox.top + bbox.height);
    ctx.stroke();
  }
  told.forEach(({ x, width, words }, i) => {
    const place = places[i];
    if (!place) return;
    const left = place.side === 'right' ? x + 5 * scale : x - 5 * scale - width;
    const top = bbox.top + (4 + place.row * 14) * scale;
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    // A seam keeps the words readable on every area.
    ctx.lineWidth = 3 * scale;
    ctx.strokeStyle = palette.color('color-mix(in srgb, var(--card) 80%, transparent)');
    ctx.strokeText(words, left, top);
    ctx.fillStyle = palette.color('var(--ink)');
    ctx.fillText(words, left, top);
  });
  ctx.restore();
}
