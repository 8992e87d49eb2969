/**
 * Where the kernel tells what it knows. Its files cost microseconds and never wait for a disk, so they are read at once:
 * `systeminformation` starts `df`, `ps`, `cat` or `lsblk` for several of the same figures, at 10 to 100 ms each, and only
 * loading it takes 10 MB; with these files tmonitor stays far below 1 % of a core.
 */
import { readFileSync } from "node:fs";

export interface KernelFolders {
  readonly proc: string;
  readonly sys: string;
}

export const kernelFolders: KernelFolders = { proc: "/proc", sys: "/sys" };

export function readKernelFile(file: string): string {
  return readFileSync(file, "utf8");
}

/** The lines that are not empty. */
export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The words of a line. */
export function wordsOf(line: string): string[] {
  return line.trim().split(/\s+/);
}
