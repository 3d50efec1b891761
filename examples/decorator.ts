// `register` as a decorator: a static method is called at the end, with its class as `this`.
//
//   deno run examples/decorator.ts

import { register } from "../mod.ts";

class Tour {
  static stops: string[] = [];

  @register
  static goodbye(): void {
    console.log(`You have seen ${this.stops.join(" and ")}. Goodbye.`);
  }
}

Tour.stops.push("the decorator", "its class");
