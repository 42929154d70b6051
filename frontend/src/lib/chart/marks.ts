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
    .filter(({ x }) => x >= from && x <= until);
  const places = placeMarks(inside, from, until, 5 * scale);
  inside.forEach(({ x, width, label, tone }, i) => {
    ctx.globalAlpha = 0.75;
    ctx.strokeStyle = palette.color(tone && tone !== 'quiet' ? `var(--${tone})` : 'var(--ink)');
    ctx.lineWidth = scale;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x + 0.5, bbox.top);
    ctx.lineTo(x + 0.5, bbox.top + bbox.height);
    ctx.stroke();
    const place = places[i];
    if (!place) return;
    const left = place.side === 'right' ? x + 5 * scale : x - 5 * scale - width;
    const top = bbox.top + (4 + place.row * 14) * scale;
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    // A seam keeps the words readable on every area.
    ctx.lineWidth = 3 * scale;
    ctx.strokeStyle = palette.color('color-mix(in srgb, var(--card) 80%, transparent)');
    ctx.strokeText(label, left, top);
    ctx.fillStyle = palette.color('var(--ink)');
    ctx.fillText(label, left, top);
  });
  ctx.restore();
}
