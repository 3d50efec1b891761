import exitHook from "npm:exit-hook@5";

exitHook(() => {});
