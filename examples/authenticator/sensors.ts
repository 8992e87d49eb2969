/**
 * A broker with a way of its own to find out who a client is. Each sensor left the factory with a password that was made from
 * its serial number and the factory's key, so nobody needs a list of sensors. Ada is a user with a password of her own,
 * and reads what all of them measure. Run it, then in two other terminals:
 *
 *     tsubscribe -u ada -P lovelace -t 'sensors/#' -v
 *     tpublish -u sensor-0042 -P "$(printf sensor-0042 | openssl sha256 -hmac 'key of the factory' | cut -d' ' -f2)" \
 *       -t sensors/sensor-0042/celsius -m 21.5
 */
import { createHmac, timingSafeEqual } from "node:crypto";
// In your program: from "tstack/auth", and from "tstack"
import {
  type AuthenticationLink,
  AuthenticatorChain,
  Grant,
  hashPassword,
  PasswordVerifier,
  parsePasswordHash,
  RightsAuthorizer,
  toRight,
  UserAuthenticator,
  UserDirectory,
} from "../../src/auth/index.ts";
import { createBroker, ReasonCode } from "../../src/index.ts";

// Keep yours in a file that only the broker may read.
const factoryKey = "key of the factory";

const sensors: AuthenticationLink = {
  name: "sensors",
  authenticate({ userName, password = new Uint8Array() }) {
    // Whoever is no sensor: let the next link look.
    if (userName === undefined || !/^sensor-\d{4}$/.test(userName)) return undefined;
    const expected = createHmac("sha256", factoryKey).update(userName).digest("hex");
    const isRight =
      password.length === expected.length && timingSafeEqual(password, Buffer.from(expected));
    if (!isRight) {
      const reasonCode = ReasonCode.badUserNameOrPassword;
      return { allowed: false, reasonCode, rule: `wrong password for ${userName}` };
    }
    const right = toRight({ allow: "publish", filter: "sensors/%u/#" }, "what a sensor may do");
    const grant = new Grant(`the sensor ${userName}`, () => [right]);
    return { allowed: true, userName, grant, rule: "the factory's password" };
  },
};

const directory = new UserDirectory({
  configured: [
    {
      name: "ada",
      credential: { hash: parsePasswordHash(await hashPassword("lovelace")) },
      rights: [toRight({ allow: "subscribe", filter: "sensors/#" }, "what Ada may do")],
      source: "examples/authenticator/sensors.ts",
    },
  ],
});
const verifier = new PasswordVerifier(directory.passwordCosts);
const users = new UserAuthenticator({ users: directory, verifier });

const broker = createBroker({
  authenticator: new AuthenticatorChain([sensors, users]),
  authorizer: new RightsAuthorizer(directory),
});
broker.on("connect", ({ client }) => console.log(`${client.userName} is here`));

const { url } = await broker.listen(process.argv[2] ?? "mqtt://127.0.0.1:1883");
console.log(`listening on ${url}`);

process.once("SIGTERM", () => {
  broker.close().then(
    () => console.log("closed"),
    (error: unknown) => console.error(error),
  );
});
