import uPlot from 'uplot';
import type { Tone } from '$lib/ui/tone';
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

/** Marks that are too close to each other for a button each. */
export interface MarkCluster {
  /** Pixels from the left edge of the chart's element. */
  x: number;
  marks: readonly ChartMark[];
}

/** Pixels between the first marks of two clusters: the width of a button. */
export const clusterWidth = 24;

/** Joins marks, given from left to right, with the one before if they are closer than a
 * button is wide. */
export function clusterMarks(marks: readonly { x: number; mark: ChartMark }[]): MarkCluster[] {
  const clusters: { x: number; marks: ChartMark[] }[] = [];
  for (const { x, mark } of marks) {
    const last = clusters.at(-1);
    if (last && x - last.x < clusterWidth) last.marks.push(mark);
    else clusters.push({ x, marks: [mark] });
  }
  return clusters;
}

/** The label of marks: theirs if they have the same, else their number. */
export function clusterLabel(marks: readonly ChartMark[]): string {
  const [first] = marks;
  if (!first) return '';
  if (marks.some(({ label }) => label !== first.label)) return `${marks.length} changes`;
  return marks.length === 1 ? first.label : `${first.label} ×${marks.length}`;
}

/** The tone of the most serious mark. */
export const clusterTone = (marks: readonly ChartMark[]): Tone =>
  (['fail', 'warn'] as const).find((tone) => marks.some((mark) => mark.tone === tone)) ?? 'quiet';

/** The marks within the shown time, by their place. */
export function clustersOf(u: uPlot, marks: readonly ChartMark[]): MarkCluster[] {
  const left = u.bbox.left / uPlot.pxRatio;
  return clusterMarks(
    marks
      .map((mark) => ({ mark, x: Math.round(left + u.valToPos(Date.parse(mark.at), 'x')) }))
      .filter(({ x }) => x >= left && x <= left + u.bbox.width / uPlot.pxRatio)
      .sort((a, b) => a.x - b.x),
  );
}

/** Draws a line for each cluster, with its label where there is space. */
export function drawMarks(u: uPlot, clusters: readonly MarkCluster[], palette: Palette, font: string) {
  const { ctx, bbox } = u;
  const scale = uPlot.pxRatio;
  const [from, until] = [bbox.left, bbox.left + bbox.width];
  ctx.save();
  ctx.font = font.replace(/^\d+px/, (size) => `${parseInt(size) * scale}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.lineJoin = 'round';
  const labelled = clusters.map(({ x, marks }) => {
    const text = clusterLabel(marks);
    return { text, tone: clusterTone(marks), x: x * scale, width: ctx.measureText(text).width };
  });
  const places = placeMarks(labelled, from, until, 5 * scale);
  for (const { x, tone } of labelled) {
    ctx.globalAlpha = 0.75;
    ctx.strokeStyle = palette.color(tone !== 'quiet' ? `var(--${tone})` : 'var(--ink)');
    ctx.lineWidth = scale;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(Math.round(x) + 0.5, bbox.top);
    ctx.lineTo(Math.round(x) + 0.5, bbox.top + bbox.height);
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
