/**
 * How much of a payload becomes readings, and how much a mapping remembers: who may publish does not decide over the
 * memory of who consumes. What is beyond is told with these words and numbers, never cut in silence.
 */
/** A document of JSON or CBOR, or lines of the line protocol. */
export const payloadBytesMax = 4_194_304;
/** Levels of objects and arrays in each other. */
export const depthMax = 32;
/** Of one reading. */
export const fieldsMax = 1_024;
export const tagsMax = 128;
/** Of a field or a tag. */
export const nameLengthMax = 512;
/** As InfluxDB and others have it. */
export const textLengthMax = 65_536;
/** Of one payload of the line protocol. */
export const linesMax = 10_000;
/** Series, and what of a mapping file counts for a topic. */
export const rememberedMax = 131_072;
export const rememberedBytesMax = 67_108_864;
