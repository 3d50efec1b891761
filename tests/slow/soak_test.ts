// More random programs than model_test.ts runs. `deno task soak` runs as many as one likes.

import { soak } from "../soak.ts";

const each = 20;

for (let first = 10; first < 210; first += each) {
  Deno.test(`random programs ${first} to ${first + each - 1} do what the model says`, async () => {
    await soak(first, each);
  });
}
