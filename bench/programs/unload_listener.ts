addEventListener("unload", () => {});
