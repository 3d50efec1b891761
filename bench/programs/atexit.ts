import { register } from "../../mod.ts";

register(() => {});
