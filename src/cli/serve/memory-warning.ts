/** Whether memoryBytesMax can hold on this machine: the kernel ends a process before it comes to more than there is. */

export interface MachineMemory {
  /** Of the machine. */
  readonly totalBytes: number;
  /** Of the cgroup; 0, or more than the machine has, where none is set. */
  readonly constrainedBytes: number;
}

/** The warning for a limit that is never reached; undefined where all is well. */
export function warnOfMemory(memoryBytesMax: number, machine: MachineMemory): string | undefined {
  const { totalBytes, constrainedBytes } = machine;
  const isConstrained = constrainedBytes > 0 && constrainedBytes < totalBytes;
  const bytes = isConstrained ? constrainedBytes : totalBytes;
  if (memoryBytesMax <= bytes) return undefined;
  const owner = isConstrained ? "the memory that this process may have" : "this machine's memory";
  const advised = Math.floor((bytes * 0.75) / megabyte) * megabyte;
  return (
    `limits.memoryBytesMax is ${inMegabytes(memoryBytesMax)} and ${owner} ${inMegabytes(bytes)}: it protects from nothing; ` +
    `set it to ${advised} or less`
  );
}

const megabyte = 1_048_576;

function inMegabytes(bytes: number): string {
  return `${Math.floor(bytes / megabyte)} MiB`;
}
