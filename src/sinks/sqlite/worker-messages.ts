/** What the sink asks of its worker, and what it is answered: one answer for each request. */
import type { EncodedBatch } from "./batch.ts";
import type { Failure } from "./failure.ts";

export type WorkerRequest =
  | { readonly kind: "write"; readonly batch: EncodedBatch }
  | { readonly kind: "close" };

export type WorkerAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly failure: Failure };
