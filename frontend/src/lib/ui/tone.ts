/** The meaning of a colour: success, in progress, failure, warning, neutral. */
export type Tone = 'done' | 'fly' | 'fail' | 'warn' | 'quiet';
