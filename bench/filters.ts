/** A million mixed filters, the same for the tree alone and for a whole broker. */

export const sites = 1000;

/** Out of ten: five exact, two `#`, two `+`, and one that a hundredth of the site's devices share. */
export function filterOf(index: number): string {
  const device = `site/${index % sites}/device/${index}`;
  switch (Math.floor(index / sites) % 10) {
    case 0:
    case 1:
      return `${device}/#`;
    case 2:
      return `${device}/+/set`;
    case 3:
      return `site/+/device/${index}/state`;
    case 4:
      return `site/${index % sites}/alarm/#`;
    default:
      return `${device}/command`;
  }
}
