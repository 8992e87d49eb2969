/**
 * What happens to the broker in a round, as plain data: a round is a list of these, and the same list under the same
 * settings does the same again. Peers are numbered places; one that is not open lets what is meant for it pass.
 */

/** How a transport behaves by itself. */
export interface Traits {
  /** The peer is in this process and answers before `write` has returned. */
  readonly answersInWrite: boolean;
  /** The connection breaks in the write that reaches this many bytes; 0 for never. */
  readonly breaksAtByte: number;
  /** After its end it stays open until time passes. */
  readonly lingers: boolean;
}

export type Action =
  | { readonly kind: "open"; readonly peer: number; readonly traits: Traits }
  /** `splits` are the offsets at which the bytes are cut into chunks. */
  | {
      readonly kind: "send";
      readonly peer: number;
      readonly bytes: Buffer;
      readonly splits: readonly number[];
    }
  | { readonly kind: "busy"; readonly peer: number }
  | { readonly kind: "drain"; readonly peer: number }
  | { readonly kind: "cut"; readonly peer: number; readonly isFault: boolean }
  | { readonly kind: "advance"; readonly milliseconds: number }
  /** One of the bystanders publishes the next number. */
  | { readonly kind: "bystand"; readonly index: number; readonly qos: 0 | 1 | 2 }
  /** The rights change: decisions that were remembered are void. */
  | { readonly kind: "rights" }
  /** The embedding program publishes. */
  | {
      readonly kind: "publish";
      readonly topic: string;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
      readonly bytes: number;
    };

const hexadecimalMax = 1200;

/** One line for people, with the bytes in full as far as anybody would read them. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "open":
      return `peer ${action.peer} opens ${describeTraits(action.traits)}`;
    case "send": {
      const { peer, bytes, splits } = action;
      const hex = bytes.toString("hex");
      const shown =
        hex.length <= hexadecimalMax
          ? hex
          : `${hex.slice(0, hexadecimalMax)}... ${bytes.length} bytes in all`;
      return `peer ${peer} sends ${shown}${splits.length > 0 ? ` cut at ${splits.join(" ")}` : ""}`;
    }
    case "busy":
      return `peer ${action.peer} reads nothing any more`;
    case "drain":
      return `peer ${action.peer} reads all that waits`;
    case "cut":
      return `peer ${action.peer} is gone${action.isFault ? ", by a fault" : ""}`;
    case "advance":
      return `${action.milliseconds / 1000} s pass`;
    case "bystand":
      return `bystander ${action.index} publishes at QoS ${action.qos}`;
    case "rights":
      return "the rights change";
    case "publish":
      return `the program publishes ${action.bytes} bytes to ${action.topic}, QoS ${action.qos}${action.retain ? ", RETAIN" : ""}`;
  }
}

function describeTraits({ answersInWrite, breaksAtByte, lingers }: Traits): string {
  const traits = [
    answersInWrite ? "answers in write" : "",
    breaksAtByte > 0 ? `breaks at byte ${breaksAtByte}` : "",
    lingers ? "lingers" : "",
  ].filter((trait) => trait !== "");
  return traits.length > 0 ? `(${traits.join(", ")})` : "";
}
