/** The figures of network interfaces, the same on every system. */
import type { Figure } from "./figure.ts";
import type { Rates } from "./rates.ts";
import { TopicLevels } from "./topic-level.ts";

const interfacesMax = 64;

/** What an interface has counted since the machine started. */
export interface Transmission {
  readonly interfaceName: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly errors: number;
}

/** Of those that were ever used. */
export function networkFigures(transmissions: readonly Transmission[], rates: Rates): Figure[] {
  const levels = new TopicLevels();
  const figures: Figure[] = [];
  rates.look();
  const used = transmissions.filter(({ bytesIn, bytesOut }) => bytesIn + bytesOut > 0);
  for (const { interfaceName, bytesIn, bytesOut, errors } of used.slice(0, interfacesMax)) {
    const path = `network/${levels.take(interfaceName)}`;
    const perSecondIn = rates.perSecond(`${interfaceName} in`, bytesIn);
    const perSecondOut = rates.perSecond(`${interfaceName} out`, bytesOut);
    if (perSecondIn !== undefined && perSecondOut !== undefined) {
      figures.push(
        { path: `${path}/in`, kind: "bytesPerSecond", value: perSecondIn },
        { path: `${path}/out`, kind: "bytesPerSecond", value: perSecondOut },
      );
    }
    figures.push({ path: `${path}/errors`, kind: "total", value: errors });
  }
  return figures;
}
