/** The name under which `coreroller import` pauses groups. No user has it: it contains a space. */
const importer = 'coreroller import';

/** Whether a group is paused since it arrived from another server. */
export const arrivedPaused = (pause: { by: string } | null): boolean => pause?.by === importer;
