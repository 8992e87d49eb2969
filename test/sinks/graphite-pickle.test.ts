import { after } from "node:test";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { GraphiteUnderTest, graphiteTraits } from "./graphite-under-test.ts";

const graphite = new GraphiteUnderTest("pickle");
testSink("graphite by pickle", graphiteTraits, () => graphite.open());
after(() => graphite.end());
