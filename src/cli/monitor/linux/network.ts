/**
 * What network interfaces receive and send. Without the loopback, without the ends of containers' cables, which come and go and
 * are counted at their bridge, and without what was never used.
 */
import type { Figure } from "../figure.ts";
import { networkFigures, type Transmission } from "../network-figures.ts";
import { Rates } from "../rates.ts";
import type { Source } from "../source.ts";
import { type KernelFolders, linesOf, readKernelFile, wordsOf } from "./kernel-files.ts";

const passedOver = /^(?:lo|veth.*)$/;

/** Out of `/proc/net/dev`. */
export function parseTransmissions(text: string): Transmission[] {
  const result: Transmission[] = [];
  for (const line of linesOf(text)) {
    const colon = line.lastIndexOf(":");
    if (colon === -1) continue; // the heading
    const numbers = wordsOf(line.slice(colon + 1)).map(Number);
    result.push({
      interfaceName: line.slice(0, colon).trim(),
      bytesIn: numbers[0],
      bytesOut: numbers[8],
      errors: numbers[2] + numbers[10],
    });
  }
  return result;
}

export class NetworkSource implements Source {
  readonly name = "network";
  readonly #folders: KernelFolders;
  readonly #rates: Rates;

  constructor(folders: KernelFolders, nowSeconds: () => number) {
    this.#folders = folders;
    this.#rates = new Rates(nowSeconds);
  }

  async read(): Promise<readonly Figure[]> {
    const all = parseTransmissions(readKernelFile(`${this.#folders.proc}/net/dev`));
    const counted = all.filter(({ interfaceName }) => !passedOver.test(interfaceName));
    return networkFigures(counted, this.#rates);
  }
}
