/** What the peers of an address may, and that addresses alone never fill the memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits, type Limits } from "../base/index.ts";
import { type AddressAccount, AddressLimits } from "./address-limits.ts";

class Gate {
  now = 0;
  readonly limits: AddressLimits;

  constructor(limits: Partial<Limits>) {
    const clock = {
      now: () => this.now,
      after: () => () => undefined,
      atEndOfTick: () => undefined,
    };
    this.limits = new AddressLimits({ ...defaultLimits, ...limits }, clock);
  }

  open(remoteAddress: string): AddressAccount {
    const account = this.limits.open(remoteAddress);
    assert.ok(account !== undefined, remoteAddress);
    return account;
  }
}

test("connections of one address are counted while they are open", () => {
  const gate = new Gate({ connectionsPerAddressMax: 2 });
  const [first, second] = [gate.open("192.0.2.1:1"), gate.open("192.0.2.1:2")];
  assert.equal(gate.limits.check(second), undefined);
  const third = gate.open("192.0.2.1:3");
  assert.equal(gate.limits.check(third), "connectionsPerAddressMax");
  assert.equal(gate.limits.check(gate.open("192.0.2.2:3")), undefined);
  gate.limits.close(third);
  gate.limits.close(first);
  assert.equal(gate.limits.check(gate.open("192.0.2.1:4")), undefined);
});

test("ten seconds' worth of CONNECTs may come at once, then as many as the rate lets through", () => {
  const gate = new Gate({ connectionsPerAddressPerSecondMax: 2 });
  const account = gate.open("192.0.2.1:1");
  const connectUntilRefused = (): number => {
    let count = 0;
    while (gate.limits.check(account) === undefined) count++;
    return count;
  };
  assert.equal(connectUntilRefused(), 20);
  gate.now = 3000;
  assert.equal(connectUntilRefused(), 6);
  gate.now = 100_000;
  assert.equal(connectUntilRefused(), 20);
});

test("who closes and comes again has no new allowance, until it would be full anyway", () => {
  const gate = new Gate({ connectionsPerAddressPerSecondMax: 1 });
  const connect = (): string | undefined => {
    const account = gate.open("192.0.2.1:1");
    const refusal = gate.limits.check(account);
    gate.limits.close(account);
    return refusal;
  };
  for (let count = 0; count < 10; count++) assert.equal(connect(), undefined);
  assert.equal(connect(), "connectionsPerAddressPerSecondMax");
  gate.now = 10_000;
  for (let count = 0; count < 10; count++) assert.equal(connect(), undefined);
  assert.equal(connect(), "connectionsPerAddressPerSecondMax");
});

test("addresses that have left are forgotten with time, and when they are many", () => {
  const gate = new Gate({});
  const visit = (number: number): void => {
    const account = gate.open(`[2001:db8:${number.toString(16)}:1::1]:50123`);
    gate.limits.check(account);
    gate.limits.close(account);
  };
  for (let number = 0; number < 60_000; number++) visit(number);
  assert.ok(gate.limits.size <= 10_000, `${gate.limits.size}`);
  for (const now of [10_000, 20_000]) {
    gate.now = now;
    visit(1);
  }
  assert.equal(gate.limits.size, 1);
  gate.limits.close(gate.open("192.0.2.1:1"));
  assert.equal(gate.limits.size, 1, "one without CONNECT leaves nothing behind");
});
