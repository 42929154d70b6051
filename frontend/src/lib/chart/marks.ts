import uPlot from 'uplot';
import type { Palette } from './palette';
import type { ChartMark } from './series';

/** Position of a mark's label: beside its line, in one of a few rows. */
export interface Place {
  row: number;
  side: 'left' | 'right';
}

const rows = 4;

/** Places the labels of marks, given from left to right, so that none overlap.
 * Null: no space, the mark has no label. */
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

/** How many marks each label represents. A mark with the same label that would
 * overlap the one before is counted there and gets 0. */
export function countAlike(
  marks: readonly { x: number; width: number; label: string }[],
  gap: number,
): number[] {
  const counts = marks.map(() => 0);
  let first = 0;
  marks.forEach(({ x, label }, i) => {
    const before = marks[first];
    if (before?.label !== label || x > before.x + before.width + 4 * gap) first = i;
    counts[first] = (counts[first] ?? 0) + 1;
  });
  return counts;
}

/** Draws a line at the time of each mark, with its label where there is space. */
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
  const labelled = inside.flatMap((mark, i) => {
    const times = counts[i] ?? 0;
    if (times === 0) return [];
    const text = times === 1 ? mark.label : `${mark.label} ×${times}`;
    return [{ text, x: mark.x, width: ctx.measureText(text).width }];
  });
  const places = placeMarks(labelled, from, until, 5 * scale);
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
  labelled.forEach(({ x, width, text }, i) => {
    const place = places[i];
    if (!place) return;
    const left = place.side === 'right' ? x + 5 * scale : x - 5 * scale - width;
    const top = bbox.top + (4 + place.row * 14) * scale;
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    // An outline keeps the label readable on every area.
    ctx.lineWidth = 3 * scale;
    ctx.strokeStyle = palette.color('color-mix(in srgb, var(--card) 80%, transparent)');
    ctx.strokeText(text, left, top);
    ctx.fillStyle = palette.color('var(--ink)');
    ctx.fillText(text, left, top);
  });
  ctx.restore();
}
