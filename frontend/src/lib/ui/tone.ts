/** What a colour means. `quiet` has none. */
export type Tone = 'done' | 'fly' | 'fail' | 'warn' | 'quiet';
