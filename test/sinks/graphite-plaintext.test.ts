import { after } from "node:test";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { GraphiteUnderTest, graphiteTraits } from "./graphite-under-test.ts";

const graphite = new GraphiteUnderTest("plaintext");
testSink("graphite by plaintext", graphiteTraits, () => graphite.open());
after(() => graphite.end());
