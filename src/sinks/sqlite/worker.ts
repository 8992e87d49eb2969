/** The worker thread: a disk that takes its time does not keep the consumer from the broker. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../base/index.ts";
import { describeFailure } from "./failure.ts";
import { ReadingsWriter } from "./readings-writer.ts";
import type { SqliteSettings } from "./settings.ts";
import type { WorkerAnswer, WorkerRequest } from "./worker-messages.ts";

assert(parentPort !== null, "this file is a worker");
const port = parentPort;
const settings = workerData as SqliteSettings;
const writer = new ReadingsWriter(settings, Date.now);

port.on("message", (request: WorkerRequest) => {
  port.postMessage(answer(request));
  if (request.kind === "close") port.close();
});

function answer(request: WorkerRequest): WorkerAnswer {
  try {
    if (request.kind === "write") writer.write(request.batch);
    else writer.close();
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", failure: describeFailure(error, settings.file) };
  }
}
