/** The template with which machines fetch from where the upstream says. */
export const fromUpstream = '{{UPSTREAM}}';

/** Address of the folder of a version, as the server builds it from a template. */
export function folderOf(template: string, arch: string, version: string): string {
  const filled = template
    .trim()
    .replaceAll('{{ARCH}}', encodeURIComponent(arch))
    .replaceAll('{{VERSION}}', encodeURIComponent(version));
  return `${filled.replace(/\/$/, '')}/`;
}
