/** The library for certificates, loaded when it is needed: it takes as long to load as all the rest of a program. */
export async function loadX509() {
  await import("reflect-metadata"); // which it needs first
  return import("@peculiar/x509");
}

export type X509 = Awaited<ReturnType<typeof loadX509>>;
