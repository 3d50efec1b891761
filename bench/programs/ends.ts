// Registers as many handlers as it is told, and says when its work is done.

import { register } from "../../mod.ts";

const count = Number(Deno.args[0]);
for (let i = 0; i < count; i++) register(() => {});
console.log(performance.timeOrigin + performance.now());
