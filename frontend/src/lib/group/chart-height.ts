import { MediaQuery } from 'svelte/reactivity';

/** Where the board has three columns: without taller charts the page would end far above the screen's end. */
const wide = new MediaQuery('width >= 2200px');

/** The height of a chart of the group page, in px. */
export const chartHeight = (usual: number): number => (wide.current ? Math.round(usual * 1.6) : usual);
