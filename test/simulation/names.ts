/** Every message has a name of its own, at the beginning of its payload: so it is known again wherever it turns up. */

export function nameIn(payload: Uint8Array): string {
  return Buffer.from(payload).toString("latin1").split(" ", 1)[0];
}

export function payloadFor(name: string, bytes: number): Buffer {
  return Buffer.from(name.padEnd(bytes, " x"));
}
