/**
 * The files that treg serves from: its certificate with the key, and the CA that devices get. They are read again when they
 * change; what cannot be used is told, and what was served before is served on.
 */
import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { readTlsFiles, type TlsSettings, WatchedFiles } from "../../listeners/index.ts";
import { describeSystemError, ProgramFailure } from "../client/index.ts";

export interface FileNames {
  readonly cert?: string;
  readonly key?: string;
  readonly cafile?: string;
}

export interface ServedContent {
  readonly tls: SecureContextOptions | undefined;
  /** PEM; empty where devices are to trust the CAs of their system. */
  readonly ca: string;
}

const lookMilliseconds = 5000;

/** @throws TstackError CERTIFICATE_INVALID @throws ProgramFailure */
export async function readServedFiles({ cert, key, cafile }: FileNames): Promise<ServedContent> {
  const ca = cafile === undefined ? "" : await readCa(cafile);
  if (cert === undefined || key === undefined) return { tls: undefined, ca };
  const settings: TlsSettings = {
    certificates: [{ certFile: cert, keyFile: key }],
    clientCertificates: "none",
    versionMin: "TLSv1.2",
  };
  const { served } = await readTlsFiles(settings);
  return { tls: served[0].options, ca };
}

async function readCa(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const reason = describeSystemError(error as Error);
    throw new ProgramFailure(`--cafile ${file}: ${reason}`, { cause: error });
  }
  // A mistake here would tell every device the key of the CA.
  if (text.includes("PRIVATE KEY"))
    throw new ProgramFailure(`--cafile ${file} holds a private key`);
  if (!text.includes("BEGIN CERTIFICATE")) {
    throw new ProgramFailure(`--cafile ${file} holds no certificate in PEM form`);
  }
  return text;
}

/** Calls `changed` with what is in the files from now on, and `refused` with why not. Answers how to end that. */
export async function watchServedFiles(
  names: FileNames,
  changed: (content: ServedContent) => void,
  refused: (reason: string) => void,
): Promise<() => void> {
  const files = [names.cert, names.key, names.cafile].filter((name) => name !== undefined);
  const watched = await WatchedFiles.look(files);
  watched.watch(lookMilliseconds, async (hasChanged) => {
    if (!hasChanged) return;
    try {
      changed(await readServedFiles(names));
    } catch (error) {
      refused((error as Error).message);
    }
  });
  return () => watched.close();
}
