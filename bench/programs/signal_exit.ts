import { onExit } from "npm:signal-exit@4";

onExit(() => {});
