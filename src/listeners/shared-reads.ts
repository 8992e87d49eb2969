/**
 * Lets all connections of a listener read into one buffer. Node gives each read of an accepted socket a buffer of its
 * own, an object for it and a way through its streams; where every message comes alone that was 15 % of all CPU
 * (docs/performance.md). Its answer to that, the option `onread`, is only for sockets that a program makes itself: so
 * the accepted socket's `_handle`, which Node does not document, goes to such a socket. Where a Node.js has none, the
 * socket stays as it was, and is only slower.
 */
import { Socket, type SocketConstructorOpts } from "node:net";

/** As much as Node reads at once. */
const readBytesMax = 65_536;

interface HandleOwner {
  readonly _handle?: object | null;
}

/** What one listener's connections share. `receive` is called with the socket as `this`, and may not keep `bytes`. */
export class SharedReads {
  readonly #onread: NonNullable<SocketConstructorOpts["onread"]>;

  constructor(receive: (this: Socket, bytes: Buffer) => void) {
    this.#onread = {
      buffer: Buffer.allocUnsafeSlow(readBytesMax),
      callback(this: Socket, length, buffer) {
        receive.call(this, (buffer as Buffer).subarray(0, length));
        return true;
      },
    };
  }

  /** The socket to go on with in place of `accepted`, which must be paused (`pauseOnConnect`). */
  take(accepted: Socket): Socket {
    const handle = (accepted as HandleOwner)._handle;
    if (handle === undefined || handle === null) return accepted;
    const options = { handle, allowHalfOpen: true, onread: this.#onread };
    return new Socket(options as object);
  }
}
