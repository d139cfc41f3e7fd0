/** For tests: an authority of one's own for the provider of the tests. */

export { authorityIn } from "../../../tools/catalog/net/testing/authority.ts";
