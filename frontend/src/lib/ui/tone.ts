/** The meaning of a colour: success, in progress, failure, a bad version, warning,
 * neutral. */
export type Tone = 'done' | 'fly' | 'fail' | 'bad' | 'warn' | 'quiet';
