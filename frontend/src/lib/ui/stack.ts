/** Geometry of a stacked area: from points in time to places in pixels. */

export interface StackPoint {
  at: Date;
  /** One value for each series, from the bottom up. */
  values: readonly number[];
}

export class Stack {
  /** First and last moment, in ms since 1970. */
  readonly from: number;
  readonly until: number;
  /** The highest stack. */
  readonly top: number;

  constructor(
    readonly points: readonly StackPoint[],
    readonly width: number,
    readonly height: number,
  ) {
    this.from = points[0]?.at.getTime() ?? 0;
    this.until = points.at(-1)?.at.getTime() ?? 0;
    this.top = Math.max(1, ...points.map(({ values }) => sum(values)));
  }

  x(at: Date): number {
    const span = this.until - this.from;
    return span === 0 ? 0 : ((at.getTime() - this.from) / span) * this.width;
  }

  y(value: number): number {
    return this.height - (value / this.top) * this.height;
  }

  /** The outline of one series, as an SVG polygon's points. */
  outline(series: number): string {
    const edge = (below: number) =>
      this.points.map(
        ({ at, values }) => `${round(this.x(at))},${round(this.y(sum(values.slice(0, below))))}`,
      );
    return [...edge(series + 1), ...edge(series).reverse()].join(' ');
  }

  /** The point nearest to a place. */
  nearest(x: number): StackPoint | undefined {
    const distance = ({ at }: StackPoint) => Math.abs(this.x(at) - x);
    return this.points.reduce<StackPoint | undefined>(
      (best, point) => (best && distance(best) <= distance(point) ? best : point),
      undefined,
    );
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const round = (pixels: number) => Math.round(pixels * 10) / 10;
