// `register` as a decorator: a static method runs at the end with `this` being its class.
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
