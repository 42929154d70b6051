import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { axisNumber, axisLabels, wholeSteps } from './axis';
import { clustersOf, drawMarks, type MarkCluster } from './marks';
import { Palette } from './palette';
import { roundTimes } from './round-times';
import { heights, type ChartContent, type ChartSeries } from './series';

/** Milliseconds between two paints; faster changes are not visible. */
const paintEvery = 300;

/** Pixels below the plot for labels and, per digit, left of it. */
const axisHeight = 24;
const digitWidth = 7.6;

/** Pixels reserved for a time label. The right edge cuts labels within a third of it. */
const tickWidth = 92;

const minute = 60_000;

interface Options {
  height: number;
  /** Called with the time under the cursor, in ms; null when it leaves. */
  onpoint: (at: number | null) => void;
  /** Called with the times between which the pointer was dragged, in ms. */
  onzoom: (span: readonly [number, number]) => void;
  /** Called with the marks that are drawn, when they or their places have changed. */
  onmarks: (clusters: readonly MarkCluster[]) => void;
}

/** A chart on a canvas. It follows the width of its element and the theme of the
 * page until it is destroyed. */
export class Plot {
  #uplot: uPlot | null = null;
  /** The painted content; series with other styles need a new uPlot. */
  #content: ChartContent | null = null;
  #look = '';
  #marked = '[]';
  #next: ChartContent | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #paintedAt = -Infinity;
  readonly #palette: Palette;
  readonly #end = new AbortController();

  constructor(
    private readonly host: HTMLElement,
    private readonly options: Options,
  ) {
    this.#palette = new Palette(host);
    const repaint = () => {
      this.#palette.reset();
      this.#uplot?.redraw(false);
    };
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint, {
      signal: this.#end.signal,
    });
    const size = new ResizeObserver(() => {
      const width = host.clientWidth;
      if (width > 0 && this.#uplot?.width !== width) this.#uplot?.setSize({ width, height: options.height });
    });
    size.observe(host);
    // Text painted before the fonts are loaded has the fallback font.
    void document.fonts.ready.then(() => this.#uplot?.redraw(false));
    this.#end.signal.addEventListener('abort', () => {
      theme.disconnect();
      size.disconnect();
    });
  }

  /** Paints the content now or, if the last paint was recent, soon. */
  show(content: ChartContent) {
    this.#next = content;
    const wait = this.#paintedAt + paintEvery - performance.now();
    if (wait <= 0) this.#paint();
    else this.#timer ??= setTimeout(() => this.#paint(), wait);
  }

  /** Moves the cursor to a time, in ms; null removes it. */
  point(at: number | null) {
    const left = at === null ? -10 : (this.#uplot?.valToPos(at, 'x') ?? -10);
    this.#uplot?.setCursor({ left, top: at === null ? -10 : 0 });
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#end.abort();
    this.#uplot?.destroy();
    this.#uplot = null;
  }

  #paint() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const content = this.#next;
    if (!content || this.#end.signal.aborted) return;
    this.#paintedAt = performance.now();
    this.#content = content;
    const look = JSON.stringify([content.stacked, content.series.map(({ tone, style }) => [tone, style])]);
    if (look === this.#look) {
      this.#uplot?.setData(this.#data(content));
      return;
    }
    this.#look = look;
    this.#uplot?.destroy();
    this.#uplot = new uPlot(this.#uplotOptions(content), this.#data(content), this.host);
  }

  get #zone(): string {
    return this.#content?.zone ?? 'UTC';
  }

  /** Stacks are painted from the top, so that lower areas cover higher ones. */
  #painted<Item>(items: readonly Item[], { stacked }: ChartContent): Item[] {
    return stacked ? items.toReversed() : [...items];
  }

  #data(content: ChartContent): uPlot.AlignedData {
    return [content.times.map((time) => Date.parse(time)), ...this.#painted(heights(content), content)];
  }

  #uplotOptions(content: ChartContent): uPlot.Options {
    const font = `12px ${getComputedStyle(this.host).fontFamily}`;
    const color = (css: string) => () => this.#palette.color(css);
    const grid = { stroke: color('color-mix(in srgb, var(--ink) 9%, transparent)'), width: 1 };
    const axis = { font, stroke: color('var(--mute)'), ticks: { show: false } };
    return {
      width: Math.max(this.host.clientWidth, 50),
      height: this.options.height,
      ms: 1,
      padding: [4, 0, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, dist: 8, setScale: false },
        // One cursor in all charts of the page, at the same time.
        sync: { key: 'page', scales: ['x', null] },
        points: { show: !content.stacked, size: 7 },
      },
      scales: {
        x: { time: true, range: (_, from, until) => this.#span(from, until) },
        y: { range: (_, _least, most) => [0, Math.max(1, most) * (content.stacked ? 1 : 1.08)] },
      },
      axes: [
        {
          ...axis,
          size: axisHeight,
          gap: 6,
          grid: { show: false },
          splits: (u, _i, from, until) => {
            const width = Math.max(u.over.clientWidth, 2 * tickWidth);
            const edge = ((until - from) * tickWidth) / 3 / width;
            const most = Math.floor(width / tickWidth);
            return roundTimes(from, until - edge, most, this.#zone).map((at) => at.getTime());
          },
          values: (_, moments) =>
            axisLabels(
              moments.map((at) => new Date(at)),
              new Date(),
              this.#zone,
            ),
        },
        {
          ...axis,
          grid,
          gap: 6,
          size: (_, text) => Math.ceil(Math.max(3, ...(text ?? []).map((w) => w.length)) * digitWidth) + 8,
          space: 36,
          incrs: wholeSteps,
          values: (_, numbers) => numbers.map(axisNumber),
        },
      ],
      series: [{}, ...this.#painted(content.series, content).map((series) => this.#series(series))],
      hooks: {
        setCursor: [
          ({ cursor, data }) =>
            this.options.onpoint(cursor.idx == null ? null : (data[0][cursor.idx] ?? null)),
        ],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width <= 0) return;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            this.options.onzoom([u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]);
          },
        ],
        draw: [(u) => this.#mark(u, font)],
      },
    };
  }

  #mark(u: uPlot, font: string) {
    const clusters = clustersOf(u, this.#content?.marks ?? []);
    drawMarks(u, clusters, this.#palette, font);
    const drawn = JSON.stringify(clusters);
    if (drawn !== this.#marked) this.options.onmarks(clusters);
    this.#marked = drawn;
  }

  #series({ tone, style }: ChartSeries): uPlot.Series {
    const fill = () => this.#palette.fill(tone, uPlot.pxRatio);
    const stroke = () => this.#palette.line(tone);
    const points = { show: false };
    // Values hold until the next sample: a slope would say that there were values between.
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    const paths = stepped ? { paths: stepped } : {};
    switch (style) {
      case 'area':
        return { fill, width: 0, points, ...paths };
      case 'steps':
        return {
          fill: () => this.#palette.soft(tone),
          stroke,
          width: 1,
          points,
          ...paths,
        };
      case 'line':
        return { stroke, width: 2, points, ...paths };
      case 'dashed':
        return { stroke, width: 1.5, dash: [6, 4], points, ...paths };
    }
  }

  /** From the first time to the last, with a margin around a single one. */
  #span(from: number | null, until: number | null): [number, number] {
    const wanted = this.#content?.span;
    if (wanted) return [wanted[0], wanted[1]];
    if (from === null || until === null) return [Date.now() - 60 * minute, Date.now()];
    return from === until ? [from - minute, until + minute] : [from, until];
  }
}
