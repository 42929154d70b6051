import type { ChartTone } from './series';

const tints: Record<ChartTone, string> = {
  done: 'var(--done)',
  fly: 'var(--fly)',
  fail: 'var(--fail)',
  bad: 'var(--bad)',
  warn: 'var(--warn)',
  quiet: 'color-mix(in srgb, var(--wait) 55%, var(--card))',
  'older-1': 'var(--older-1)',
  'older-2': 'var(--older-1)',
  'older-3': 'var(--soft)',
};

interface Stripe {
  every: number;
  way: 'rising' | 'falling' | 'upright';
  tint: string;
}

/** Patterns that distinguish areas without colour: stripes, every so many pixels. The
 * same as in Swatch and VersionBar. */
const stripes: Partial<Record<ChartTone, Stripe>> = {
  fly: { every: 8, way: 'rising', tint: 'color-mix(in srgb, var(--card) 22%, var(--fly))' },
  fail: { every: 5, way: 'falling', tint: 'color-mix(in srgb, var(--card) 35%, var(--fail))' },
  bad: { every: 7, way: 'upright', tint: 'color-mix(in srgb, #000 16%, var(--bad))' },
  'older-2': { every: 10, way: 'falling', tint: 'var(--older-2)' },
  'older-3': { every: 7, way: 'rising', tint: 'var(--older-3)' },
};

/** The theme's colours for a canvas. A hidden element resolves the CSS variables,
 * because a canvas cannot. */
export class Palette {
  readonly #probe = document.createElement('span');
  readonly #colors = new Map<string, string>();
  readonly #fills = new Map<string, string | CanvasPattern>();

  constructor(host: HTMLElement) {
    this.#probe.hidden = true;
    host.append(this.#probe);
  }

  /** Call after the theme has changed. */
  reset() {
    this.#colors.clear();
    this.#fills.clear();
  }

  color(css: string): string {
    const known = this.#colors.get(css);
    if (known) return known;
    this.#probe.style.color = css;
    const color = getComputedStyle(this.#probe).color;
    this.#colors.set(css, color);
    return color;
  }

  line(tone: ChartTone): string {
    return this.color(tone === 'quiet' ? 'var(--mute)' : tints[tone]);
  }

  /** Fill below a step line, light enough for the cap line on it. */
  soft(tone: ChartTone): string {
    return this.color(`color-mix(in srgb, ${tints[tone]} 42%, var(--card))`);
  }

  /** `scale` is canvas pixels per CSS pixel. */
  fill(tone: ChartTone, scale: number): string | CanvasPattern {
    const key = `${tone} ${scale}`;
    const known = this.#fills.get(key);
    if (known) return known;
    const fill = this.#hatched(tone, scale) ?? this.color(tints[tone]);
    this.#fills.set(key, fill);
    return fill;
  }

  #hatched(tone: ChartTone, scale: number): CanvasPattern | null {
    const stripe = stripes[tone];
    const tile = document.createElement('canvas');
    const context = tile.getContext('2d');
    if (!stripe || !context) return null;
    const size = Math.round(stripe.every * scale);
    tile.width = tile.height = size;
    context.fillStyle = this.color(tints[tone]);
    context.fillRect(0, 0, size, size);
    context.strokeStyle = this.color(stripe.tint);
    context.lineWidth = 1.4 * scale;
    context.lineCap = 'square';
    if (stripe.way === 'upright') {
      context.moveTo(size / 2, 0);
      context.lineTo(size / 2, size);
    } else {
      const [from, until] = stripe.way === 'rising' ? [size, 0] : [0, size];
      // Also one tile left and right, so that the stripe continues at the corners.
      for (const left of [-size, 0, size]) {
        context.moveTo(left, from);
        context.lineTo(left + size, until);
      }
    }
    context.stroke();
    return context.createPattern(tile, 'repeat');
  }
}
